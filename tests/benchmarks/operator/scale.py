"""How much is measured: `make bench` takes the defaults, the benchmark's own test a little of each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many, and how long in seconds.

    `interval` is the controller's, `quiet` the length of the time in which nothing changes. What is still to be written `settled` seconds
    after everything was true will have been.
    """

    workloads: int = 2000
    hosts: int = 20
    edits: int = 1000
    interval: float = 30.0
    quiet: float = 60.0
    settled: float = 5.0
