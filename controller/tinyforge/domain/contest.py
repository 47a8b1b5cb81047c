"""Which container gets a row when several ask for it: rule M9.

Every row ranks containers by the same order (running first, then the younger, then the greater id), and every container asks for
its rows in an order of its own. Let each ask for its best row, let the row keep the strongest, and let the displaced one ask for
its next: that is Gale and Shapley's deferred acceptance, whose result does not depend on who asks first, so that rows never flap
between passes (rule P9).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from tinyforge.domain.containers import Container
from tinyforge.domain.matching import Claim


class Displaced(Struct, frozen=True):
    """A claim that got no row, and the claim that holds the last row it asked for."""

    claim: Claim
    by: Claim


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who holds which row, and who holds none."""

    winners: Mapping[str, Claim]
    displaced: tuple[Displaced, ...]


def settle(claims: Iterable[Claim]) -> Settlement:
    """Give every contested row to its strongest claim; a displaced claim gets the next row it asks for, if that is left to it."""
    winners: dict[str, Claim] = {}
    losers: list[Claim] = []
    asking = [(claim, 0) for claim in claims]
    while asking:
        claim, choice = asking.pop()
        if choice == len(claim.rows):
            losers.append(claim)
            continue
        row = claim.rows[choice]
        holder = winners.setdefault(row, claim)
        if holder is claim:
            continue
        if _strength(claim.container) > _strength(holder.container):
            winners[row] = claim
            asking.append((holder, holder.rows.index(row) + 1))
        else:
            asking.append((claim, choice + 1))
    losers.sort(key=lambda loser: loser.container.id)
    return Settlement(winners, tuple(Displaced(loser, winners[loser.rows[-1]]) for loser in losers))


def _strength(container: Container) -> tuple[bool, int, str]:
    return (container.state == "running", container.created, container.id)
