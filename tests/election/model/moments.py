"""Time, and what a step of anything in the model is: code that stops wherever something else may happen in between."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

Ready = Callable[[], bool]
"""Whether what stopped may go on."""
Steps = Generator[Ready, None, T]
"""What a process does, one step after the other: it yields when it may be taken on."""


@dataclass
class Clock:
    """The one time of the model, in seconds; true everywhere, since the protocol compares no two clocks. It goes on by `tick`."""

    tick: float
    now: float = 0.0


def always() -> bool:
    """Be ready at once: others may take their steps first."""
    return True


def either(one: Ready, other: Ready) -> Ready:
    """Be ready as soon as one of both is."""
    return lambda: one() or other()
