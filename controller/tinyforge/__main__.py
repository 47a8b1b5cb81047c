"""`python -m tinyforge` is `tinyforge`."""

from tinyforge.cli import main

main(prog_name="tinyforge")
