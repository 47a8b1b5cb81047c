"""The intents of a term, and what earlier terms have left open (`tinyforge.ports.Intents`)."""

from collections.abc import Collection, Mapping
from typing import Any

from psycopg.rows import class_row, dict_row

from tinyforge.domain.intents import Intent, IntentOutcome, Settled, Unsettled
from tinyforge.index.database import Connection, Database
from tinyforge.index.sql import queries
from tinyforge.index.texts import storable
from tinyforge.ports import Term

_SQL = queries("intents")


class PostgresIntents:
    """Writes always fenced. What it reads of earlier terms is complete: they committed nothing after the claim of this one."""

    def __init__(self, *, database: Database, term: Term) -> None:
        self._database = database
        self._term = term

    async def open(self, *, host: str, object: str, action: str, seconds: float) -> Intent:  # noqa: A002 - the column's name
        """See `tinyforge.ports.Intents.open`."""
        about = {"epoch": self._term.epoch, "host": host, "object": object, "action": storable(action), "seconds": seconds}

        async def write(connection: Connection) -> Intent:
            await connection.execute(_SQL["close_unrecorded"], about)
            cursor = await connection.cursor(row_factory=class_row(Intent)).execute(_SQL["open"], about)
            (intent,) = await cursor.fetchall()
            return intent

        return await self._database.write(self._term, write)

    async def close(self, intent: Intent, outcome: IntentOutcome, *, message: str = "") -> None:
        """See `tinyforge.ports.Intents.close`."""
        about = {"id": intent.id, "epoch": self._term.epoch, "outcome": outcome, "message": storable(message)}

        async def write(connection: Connection) -> None:
            await connection.execute(_SQL["close"], about)

        await self._database.write(self._term, write)

    async def open_of_lower_epochs(self, host: str) -> tuple[Unsettled, ...]:
        """See `tinyforge.ports.Intents.open_of_lower_epochs`."""

        async def read(connection: Connection) -> tuple[Unsettled, ...]:
            about = {"epoch": self._term.epoch, "host": host}
            cursor = await connection.cursor(row_factory=dict_row).execute(_SQL["open_of_lower_epochs"], about)
            return tuple(_unsettled(columns) for columns in await cursor.fetchall())

        return await self._database.run(read)

    async def supersede(self, settled: Collection[Settled]) -> None:
        """See `tinyforge.ports.Intents.supersede`."""
        about = {
            "epoch": self._term.epoch,
            "ids": [it.intent.id for it in settled],
            "messages": [storable(it.reason) for it in settled],
        }

        async def write(connection: Connection) -> None:
            await connection.execute(_SQL["supersede"], about)

        await self._database.write(self._term, write)


def _unsettled(columns: Mapping[str, Any]) -> Unsettled:
    intent = {name: value for name, value in columns.items() if name != "left"}
    return Unsettled(intent=Intent(**intent), left=columns["left"])
