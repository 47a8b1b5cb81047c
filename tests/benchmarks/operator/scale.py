"""How much is measured: `make bench` takes the defaults, the benchmark's own test a little of each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`interval` is the controller's, in seconds, and `quiet` the length of the time in which nothing changes."""

    workloads: int = 2000
    hosts: int = 20
    edits: int = 1000
    interval: float = 30.0
    quiet: float = 60.0
