"""Two ways of doing the same, measured in turn, so that whatever else the machine does meets both.

A round is A B B A, and what counts is what both runs of a way took together. Strictly in turn, A B A B, would not do: Docker's engine
collects its garbage about every second list, which costs it a fifth of one, and then one way would always get it and the other never.
"""

from collections.abc import Awaitable, Callable, Sequence
from statistics import fmean, median
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

EACH = 2
"""How many runs of each way a round has."""


async def interleaved(
    first: Callable[[int], Awaitable[A]], second: Callable[[int], Awaitable[B]], *, rounds: int
) -> tuple[list[A], list[B]]:
    """Run both in turn and return what each run of each returned, in order. Both are told how many runs of theirs went before.

    One more round comes first and is not counted (its runs are -2 and -1), so that connections, prepared statements and caches are as in a
    process that has run for a while.
    """
    ones: list[A] = []
    others: list[B] = []
    for run in range(-EACH, EACH * rounds, EACH):
        ones.append(await first(run))
        others.append(await second(run))
        others.append(await second(run + 1))
        ones.append(await first(run + 1))
    return ones[EACH:], others[EACH:]


def typical(values: Sequence[float]) -> float:
    """The median over the rounds of what a run took on average."""
    return median(means(values))


def typical_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median over the rounds of the ratio: a moment in which everything was slow spoils one of them at most."""
    return median(a / b for a, b in zip(means(over), means(under), strict=True))


def means(values: Sequence[float]) -> list[float]:
    """The mean of each round."""
    return [fmean(values[start : start + EACH]) for start in range(0, len(values), EACH)]
