"""What leaves the index: rows missing for longer than the retention, rows that somebody acknowledged as gone, old requests.

A row with a deployer-owned value is never deleted here: it is the deployer's (rule R1).
"""

from tinyforge.domain.requests import Forgotten
from tinyforge.index.database import Connection, Database
from tinyforge.index.sql import queries
from tinyforge.index.texts import storable
from tinyforge.ports import Term

_SQL = queries("housekeeping")


class Housekeeping:
    """Deletes, always fenced."""

    def __init__(self, *, database: Database, term: Term) -> None:
        self._database = database
        self._term = term

    async def forget(self, workload: str, *, role: str | None = None) -> Forgotten:
        """Delete a workload's missing rows (only those of `role`, if one is given)."""

        async def write(connection: Connection) -> Forgotten:
            about = {"workload": storable(workload), "role": None if role is None else storable(role)}
            deleted = await (await connection.execute(_SQL["forget"], about)).fetchall()
            kept = await (await connection.execute(_SQL["kept_missing"], about)).fetchall()
            return Forgotten(deleted=tuple(sorted(id_ for (id_,) in deleted)), kept=tuple(id_ for (id_,) in kept))

        return await self._database.write(self._term, write)

    async def prune(self, *, retention: float) -> tuple[str, ...]:
        """Delete what is older than `retention` seconds (0: nothing), and requests and intents older than a day; return the rows' ids."""

        async def write(connection: Connection) -> tuple[str, ...]:
            await connection.execute(_SQL["prune_requests"])
            await connection.execute(_SQL["prune_intents"])
            if retention == 0:
                return ()
            deleted = await (await connection.execute(_SQL["prune_rows"], {"retention": retention})).fetchall()
            return tuple(sorted(id_ for (id_,) in deleted))

        return await self._database.write(self._term, write)
