"""A term without a Lease, under either driver: the claim in PostgreSQL is all there is, and whoever makes the newest one leads.

Called by `tinyforge run` and by `tinyforge controller --no-leader-election`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from tinyforge.cli.patience import until_available
from tinyforge.cli.vitals import Vitals
from tinyforge.domain.complaints import Complaint
from tinyforge.domain.roles import leader
from tinyforge.election.term_traces import CampaignTrace, EndTrace, TermOutcome, why_it_ends
from tinyforge.index.led import LedIndex
from tinyforge.logs import lines_of_epoch
from tinyforge.ports import Fenced
from tinyforge.reconcile.planned_end import until_drained

Leading = Callable[[], AbstractAsyncContextManager[LedIndex]]

_REASON = "without a Lease whoever starts last leads"


class Controller(Protocol):
    """What works during the term: that of either driver."""

    async def run(self) -> None:
        """Run until cancelled."""
        ...

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, and wait so many seconds at most for what is under way."""
        ...


async def lead_alone(leading: Leading, begin: Callable[[LedIndex], Controller], *, vitals: Vitals, drain: float) -> None:
    """Claim a database, however long PostgreSQL is away, and lead until cancelled; whoever led before is deposed.

    Args:
        leading: claims the database and gives it back (`tinyforge.index.led.lead`).
        begin: makes the controller of the term, which is about to run.
        vitals: told what is waited for, and then of the role.
        drain: how long an end that was asked for waits for what is under way, in seconds.

    Raises:
        Fenced: another process took over.
        IndexRefused: the database belongs to somebody else, or cannot be led any more.
    """
    async with AsyncExitStack() as term, AsyncExitStack() as claim:
        complaint = Complaint()

        async def claimed() -> LedIndex:
            trace = CampaignTrace(reason=_REASON)
            with trace.claiming(complaint):
                index = await claim.enter_async_context(leading())
            trace.won(index.term.epoch)
            return index

        index = await until_available(claimed, told=vitals.wait_for)
        ending = EndTrace({"tinyforge.epoch": index.term.epoch})
        term.enter_context(lines_of_epoch(index.term.epoch))
        term.enter_context(_traced(ending))  # ends when the claim is given back
        controller = begin(index)
        vitals.begin(partial(leader, index.term.epoch, since=datetime.now(UTC)))

        async def drained() -> None:
            with ending.draining():
                await controller.drain(drain)

        await until_drained(controller.run, drained)


@contextmanager
def _traced(ending: EndTrace) -> Iterator[None]:
    """End the trace of a term's end by whatever ends the block; the claim was given back then, unless it is another's."""
    try:
        yield
    except Fenced as error:
        ending.begin(str(error))
        ending.end(TermOutcome.DEPOSED, error)
        raise
    except BaseException as error:
        ending.begin(why_it_ends(error))
        ending.end(TermOutcome.RELEASED, error)
        raise
