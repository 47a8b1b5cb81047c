"""Two ways of doing the same, measured in turn, so that whatever else the machine does meets both.

A round is two runs of each, in an order that is drawn anew, and what counts is what the runs of one way took together. No fixed order would
do: Docker's engine collects its garbage during every second list (of 1,000 containers) or during three of four (of 5,000), which costs it a
fifth of one. In A B A B the former, in A B B A the latter would meet one way more often than the other, for as long as anybody measures.
"""

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from statistics import fmean, median
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

EACH = 2
"""How many runs of each way a round has."""


async def interleaved(
    first: Callable[[int], Awaitable[A]], second: Callable[[int], Awaitable[B]], *, rounds: int
) -> tuple[list[A], list[B]]:
    """Run both in turn and return what each run of each returned, in order. Both are told the number of their run.

    One more round comes first and is not counted (its runs are -2 and -1), so that connections, prepared statements and caches are as in a
    process that has run for a while.
    """
    ones: list[A] = []
    others: list[B] = []
    orders = Random(0)  # noqa: S311 - no secret: the same order each time
    for _ in range(1 + rounds):
        turns = [True] * EACH + [False] * EACH
        orders.shuffle(turns)
        for is_first in turns:
            if is_first:
                ones.append(await first(len(ones) - EACH))
            else:
                others.append(await second(len(others) - EACH))
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
