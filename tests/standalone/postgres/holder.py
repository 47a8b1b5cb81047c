"""A process that uses an embedded PostgreSQL: `python -m tests.standalone.postgres.holder FOLDER`.

It prints the connection string when it has joined, and leaves when its standard input ends. What goes wrong it says on standard
error. `--as UID` gives up root after the imports, for the interpreter may lie where that user cannot go; `--wheel FOLDER` takes
the programs from there; `--rounds N` joins, asks a question and leaves, N times.
"""

import argparse
import os
import sys
from pathlib import Path

from tinyforge.standalone.postgres import EmbeddedPostgresError, embedded_postgres


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--as", type=int, dest="uid")
    parser.add_argument("--wheel")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    if options.wheel:
        sys.path.insert(0, options.wheel)
    if options.uid:
        os.setgroups([])
        os.setgid(options.uid)
        os.setuid(options.uid)
    try:
        if options.rounds:
            take_turns(options.folder, options.rounds)
        else:
            hold(options.folder)
    except EmbeddedPostgresError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def hold(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        sys.stdout.write(f"{server.conninfo}\n")
        sys.stdout.flush()
        sys.stdin.read()


def take_turns(folder: Path, rounds: int) -> None:
    import psycopg  # noqa: PLC0415 - half of the start of this program, which most tests need not pay

    for _ in range(rounds):
        with embedded_postgres(folder) as server, psycopg.connect(server.conninfo) as session:
            session.execute("SELECT")


if __name__ == "__main__":
    main()
