"""The only way in which an engine is changed: behind an intent that says so first, for a bounded time, one change of an object at a time.

Called by whatever deploys. Every change goes through the same steps (leadership: "Every Docker mutation", "Take over"):

1. no other change of the same object is under way, in this term (a lock) or from an earlier one (`tinyforge.reconcile.takeovers`);
2. the validity that is left covers it, else nothing is begun;
3. its intent is committed under the fence: whoever leads next knows of it, whatever happens to this process;
4. it is begun and, when its time or the validity is over, or its caller is cancelled, told to end;
5. its intent is closed under the fence, if anybody knows how it ended. One that was cut off stays open: the engine may still carry it out.

**Which clock.** PostgreSQL sets the deadline, by its own clock, to so many seconds after the intent is written. This process counts the
same seconds from before it asks for that, by CLOCK_BOOTTIME, which goes on while the machine sleeps. The writing is after the asking, so
what ends in time here ends before the deadline there, and no two clocks are ever compared: they only have to run equally fast.
What no clock closes is the moment between the last look at one and the sending: a process that is frozen exactly there sends when it wakes
up. That change is in an intent too; the name of its object makes an engine refuse it if it is done already, and its epoch labels it.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakValueDictionary

from tinyforge.domain.intents import ENDING_SECONDS, Intent, IntentOutcome, Unsettled, intent_fault, validity_fault
from tinyforge.domain.texts import MESSAGE_LENGTH, printable
from tinyforge.ports import (
    EngineError,
    EngineReason,
    Fenced,
    IndexRefused,
    IndexUnavailable,
    Intents,
    MutationRefused,
    MutationUnanswered,
    Validity,
)
from tinyforge.reconcile.bounded_call import begin, ended_by_itself
from tinyforge.reconcile.takeovers import Look, Takeovers, shows_nothing

logger = logging.getLogger(__name__)

T = TypeVar("T")


class WithoutLease:
    """The validity of a term that no Lease bounds: the fence in PostgreSQL is all there is."""

    def valid(self) -> bool:
        """Always."""
        return True

    def left(self) -> float:
        """For ever."""
        return math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A call whose answer nobody has, and by when it has ended: `deadline` is by this process's clock."""

    intent: Intent
    task: "asyncio.Task[object]"
    deadline: float


class Mutations:
    """The mutations of a term.

    Args:
        intents: the term's.
        validity: for how long this process may change anything.
        steady: the validity that is left at the least as long as every renewal of the Lease is answered; infinite without one.
        now: CLOCK_BOOTTIME.
        look: tells whose effect a host shows. Without it the deadline of every intent that was left open is waited for.
    """

    def __init__(
        self, *, intents: Intents, validity: Validity, steady: float, now: Callable[[], float], look: Look = shows_nothing
    ) -> None:
        self._intents = intents
        self._validity = validity
        self._steady = steady
        self._now = now
        self._takeovers = Takeovers(intents=intents, look=look, now=now)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._begun: dict[tuple[str, str], _Begun] = {}

    async def take_over(self, host: str) -> None:
        """Wait for what earlier terms may still do on a host. Whoever decides by what runs there does this before looking.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        await self._takeovers.take(host)

    async def perform(self, *, host: str, object: str, action: str, seconds: float, call: Callable[[Intent], Awaitable[T]]) -> T:  # noqa: A002 - the column's name
        """Change one object of a host and return what the call answers, waiting for other changes of it to end first.

        Args:
            host: whose engine.
            object: the name of what is changed: the same for the same thing in every term, and what the engine knows it by.
            action: what is done to it, in a word.
            seconds: how long it may take; more than 0 and at most `LONGEST_SECONDS`.
            call: does it, once. What it creates carries the label `EPOCH_LABEL` with the intent's epoch. When it is cancelled it gives its
                connection up at once. It raises EngineError with HTTP_ERROR if the engine says no, with another reason if nobody knows.

        Raises:
            MutationRefused: nothing was changed; the Lease could not be renewed, or an earlier call for this object has not ended.
            MutationUnanswered: it took too long, or the validity ended meanwhile; whether it is done is not known.
            Fenced: another process leads. If the call was begun, its intent tells the next leader.
            IndexUnavailable: PostgreSQL did not take the intent; nothing was changed.
        """
        if fault := intent_fault(object=object, seconds=seconds):
            raise MutationRefused(f"{action} on {host}: {fault}")
        turn = self._turns.setdefault((host, object), asyncio.Lock())
        async with turn:
            await self._outlast(host, object)
            await self._takeovers.take(host)
            until = self._now() + seconds
            if fault := self._validity_fault(seconds):
                raise MutationRefused(fault)
            intent = await self._intents.open(host=host, object=object, action=action, seconds=seconds + ENDING_SECONDS)
            if fault := self._too_late(until):
                await self._close(intent, IntentOutcome.FAILED, f"not begun: {fault}")
                raise MutationRefused(f"{intent} was not begun: {fault}")
            return await self._carry_out(intent, call, until)

    def under_way(self) -> tuple[str, ...]:
        """Name the calls that go on; for a watchdog, which may ask from any thread."""
        return tuple(str(it.intent) for it in self._going_on())

    def overdue(self) -> tuple[str, ...]:
        """Name the calls that go on past their deadline: only the end of the process ends those. May be asked from any thread."""
        return tuple(str(it.intent) for it in self._going_on() if it.deadline <= self._now())

    def _going_on(self) -> list[_Begun]:
        return [it for it in list(self._begun.values()) if not it.task.done()]

    async def _outlast(self, host: str, name: str) -> None:
        """Wait for what an earlier call of this term may still do to an object, if nobody has its answer."""
        if (earlier := self._begun.get((host, name))) is None:
            return
        if not earlier.task.done():
            raise MutationRefused(f"{earlier.intent} was told to end and has not; nothing else is done to {name} until it has")
        await self._takeovers.outlast(Unsettled(intent=earlier.intent, left=earlier.deadline - self._now()))
        del self._begun[host, name]

    def _validity_fault(self, seconds: float) -> str:
        return validity_fault(left=self._validity.left(), seconds=seconds, steady=self._steady)

    def _too_late(self, until: float) -> str:
        """Return why an intent that took its time to open is not to be carried out any more; empty if it is."""
        left = until - self._now()
        return self._validity_fault(left) if left > 0 else "PostgreSQL took all of its time to open it; try again"

    async def _carry_out(self, intent: Intent, call: Callable[[Intent], Awaitable[T]], until: float) -> T:
        task = begin(lambda: call(intent), name=str(intent))
        begun = _Begun(intent=intent, task=task, deadline=until + ENDING_SECONDS)
        self._begun[intent.host, intent.object] = begun
        by_itself = await ended_by_itself(task, left=lambda: min(until - self._now(), self._validity.left()))
        if not _is_answered(task, by_itself=by_itself):
            raise self._unanswered(begun, by_itself=by_itself)
        del self._begun[intent.host, intent.object]
        if error := task.exception():
            await self._close(intent, IntentOutcome.FAILED, printable(str(error), MESSAGE_LENGTH))
        else:
            await self._close(intent, IntentOutcome.DONE)
        return task.result()

    def _unanswered(self, begun: _Begun, *, by_itself: bool) -> MutationUnanswered:
        """Say that nobody knows how a call ended, and why; its intent stays open."""
        task, intent = begun.task, begun.intent
        if not task.done():
            logger.error("%s does not end when it is told to", intent, extra={"action": "mutation_left_behind", "host": intent.host})
        error = None if not task.done() or task.cancelled() else task.exception()
        if by_itself:
            why = str(error or "the call cancelled itself")
        else:
            why = "its time was over" if self._validity.left() > 0 else "the Lease could not be renewed"
        unanswered = MutationUnanswered(f"nobody knows how this ended: {intent}: {why}; look whether it is done before trying again")
        unanswered.__cause__ = error
        return unanswered

    async def _close(self, intent: Intent, outcome: IntentOutcome, message: str = "") -> None:
        """Record how a call ended. Its answer counts even if that fails: the object's next intent closes this one, or the next leader."""
        try:
            await self._intents.close(intent, outcome, message=message)
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:
            logger.warning(
                "%s: how it ended is not recorded: %s", intent, error, extra={"action": "intent_not_closed", "host": intent.host}
            )


def _is_answered(task: "asyncio.Task[object]", *, by_itself: bool) -> bool:
    """Tell whether a call says how it ended: by a word of the engine's, and not by an error that its being cut off may be behind."""
    if not task.done() or task.cancelled():
        return False
    error = task.exception()
    if error is None:
        return True
    return by_itself and not (isinstance(error, EngineError) and error.reason != EngineReason.HTTP_ERROR)
