"""What changing an engine needs: intents, and the time that is left for it."""

from collections.abc import Collection, Sequence
from typing import Protocol

from tinyforge.domain.intents import Intent, IntentOutcome, Settled, Unsettled


class Intents(Protocol):
    """The intents: what is about to be changed on engines. Raises as `ContainersIndex` does."""

    async def open(self, *, host: str, object: str, action: str, seconds: float) -> Intent:  # noqa: A002 - the column's name
        """Open an intent, committed when this returns. Any of this term that is open on the same object is closed as failed.

        Args:
            host: whose engine.
            object: the name of what is changed.
            action: what is done to it.
            seconds: from when PostgreSQL writes it to its deadline.

        Raises:
            IndexRefused: intents of earlier terms are open on this host; they are to be superseded first.
        """
        ...

    async def close(self, intent: Intent, outcome: IntentOutcome, *, message: str = "") -> None:
        """Close an intent of this term, if it is open; `message` is for people."""
        ...

    async def open_of_lower_epochs(self, host: str) -> Sequence[Unsettled]:
        """Return what earlier terms have left open on a host, oldest first."""
        ...

    async def supersede(self, settled: Collection[Settled]) -> None:
        """Close intents of earlier terms as superseded, for the reasons given."""
        ...


class Validity(Protocol):
    """For how long this process may begin to change engines: until some time after the last renewal of its Lease was sent."""

    def valid(self) -> bool:
        """Tell whether it may now."""
        ...

    def left(self) -> float:
        """Return for how many seconds it may, if no renewal succeeds any more: infinite where there is no Lease."""
        ...
