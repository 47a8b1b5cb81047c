"""A leader's claim, as each server that it connects to has it.

An asynchronous failover of PostgreSQL can lose a claim, and let the leader before in. So a leader looks at each new connection whether its
claim is there, and makes it again where it is not: the fence then holds again from the first connection of the true leader on.
"""

import asyncio

from tinyforge.index.claiming import make_claim, superseded
from tinyforge.index.database import Database
from tinyforge.index.errors import ROW_IS_GONE
from tinyforge.index.sessions import Connection
from tinyforge.index.sql import queries
from tinyforge.ports import IndexRefused, Term

_SQL = queries("leaders")
_SLICES = 3


class Assertion:
    """The claim of one term."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._one_at_a_time = asyncio.Lock()
        self._made_again = asyncio.Event()

    async def stand(self, connection: Connection) -> None:
        """See that the server of a connection has the claim, and make it again if the server has none as new.

        Raises:
            Fenced: somebody has a newer epoch, or this one.
            IndexRefused: the row of `leaders` is gone.
            psycopg.Error: PostgreSQL does not answer, or whoever holds the claim up was not to be ended in time.
        """
        if await self._stands(connection):
            return
        async with self._one_at_a_time:
            if await self._stands(connection):
                return
            slices = iter(range(_SLICES))
            await make_claim(connection, self._term, take_over=True, give_up=lambda: next(slices, None) is None)
            self._made_again.set()

    async def regained(self) -> None:
        """Wait until it was made again since the last time anybody waited."""
        await self._made_again.wait()
        self._made_again.clear()

    async def _stands(self, connection: Connection) -> bool:
        row = await (await connection.execute(_SQL["refusal"])).fetchone()
        if row is None:
            raise IndexRefused(ROW_IS_GONE)
        epoch, holder, *_ = row
        if epoch < self._term.epoch:
            return False
        if (epoch, holder) != (self._term.epoch, self._term.holder):
            raise superseded(self._term, epoch=epoch, holder=holder)
        return True


class PostgresClaim:
    """The claim as the use cases have it (`tinyforge.ports.Claim`)."""

    def __init__(self, *, database: Database, assertion: Assertion) -> None:
        self._database = database
        self._assertion = assertion

    async def confirm(self) -> None:
        """See `tinyforge.ports.Claim.confirm`."""
        await self._database.run(self._assertion.stand)

    async def regained(self) -> None:
        """See `tinyforge.ports.Claim.regained`."""
        await self._assertion.regained()
