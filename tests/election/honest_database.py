"""A stand-in for PostgreSQL that is honest and quick: the row of leaders, claims, and sessions with their heartbeats.

For what the election does at the API server; that it gets on with the real one is for test_with_postgres.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import NoReturn

from tinyforge.domain.leaders import LeadersLook
from tinyforge.ports import Attendant, Fenced, IndexUnavailable, Term

LOOK_SECONDS = 0.02


class HonestDatabase:
    """The row of leaders, the claims that were made, and the sessions that live, each with the number of its last heartbeat."""

    def __init__(self) -> None:
        self.epoch = 0
        self.holder = ""
        self.claimed: list[tuple[int, str]] = []
        self.sessions: dict[str, int] = {}
        self.away = False

    def look(self) -> LeadersLook:
        """What a standby sees."""
        session = self.session_of(self.holder)
        sessions = {1: str(self.sessions[session])} if session in self.sessions else {}
        return LeadersLook(
            epoch=self.epoch,
            holder=self.holder,
            session=session,
            driver="operator",
            lease="u/tinyforge",
            server_up=100.0,
            sessions=sessions,
        )

    @staticmethod
    def session_of(holder: str) -> str:
        return f"session of {holder}" if holder else ""


class HonestPresence:
    """A replica's session."""

    def __init__(self, database: HonestDatabase, holder: str) -> None:
        self._database = database
        self._session = database.session_of(holder)
        self._beats: Iterator[int] = itertools.count()

    async def hold(self, attendant: Attendant) -> NoReturn:
        try:
            while True:
                if self._database.away:
                    await attendant.lost()
                else:
                    self._database.sessions[self._session] = next(self._beats)
                    attendant.looked(self._database.look())
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._database.sessions.pop(self._session, None)

    async def release(self, term: Term) -> None:
        if (self._database.epoch, self._database.holder) == (term.epoch, term.holder):
            self._database.holder = ""


class HonestClaiming:
    """A replica's claims."""

    def __init__(self, database: HonestDatabase, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def claim(self, epoch: int, *, give_up: Callable[[], bool]) -> Term:
        while self._database.away:
            if give_up():
                raise IndexUnavailable("PostgreSQL does not answer")
            await asyncio.sleep(LOOK_SECONDS)
        held = self._database
        if not (held.epoch < epoch or (held.epoch, held.holder) == (epoch, self._holder)):
            raise Fenced(f"{held.holder} has epoch {held.epoch}")
        held.epoch, held.holder = epoch, self._holder
        held.claimed.append((epoch, self._holder))
        return Term(epoch=epoch, holder=self._holder, session=held.session_of(self._holder), driver="operator", lease="u/tinyforge")
