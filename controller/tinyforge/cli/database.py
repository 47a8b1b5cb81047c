"""Which PostgreSQL a verb works with: the one that TINYFORGE_DATABASE_URL names, else the embedded one, for as long as the verb runs."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tinyforge.index.database import Database
from tinyforge.index.reports import Reports
from tinyforge.ports import TinyforgeError
from tinyforge.settings import Settings
from tinyforge.standalone.postgres import EmbeddedPostgresError, default_folder, embedded_postgres
from tinyforge.standalone.postgres.layout import layout_in

_POOL_SECONDS = 3.0


class NothingRanYet(TinyforgeError):
    """There is no database to read: nothing has made one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedDatabase:
    """The database that a verb works with.

    `psql` is the command that a person looks at it with; it holds no password. `revive` starts the server again if it was killed, where
    that is ours to do; it blocks.
    """

    conninfo: str = field(repr=False)
    psql: str
    revive: Callable[[], None]


@contextmanager
def used_database(settings: Settings) -> Iterator[UsedDatabase]:
    """Use the database, for the length of a block; the embedded one is made and started if need be, which may take seconds.

    Raises:
        EmbeddedPostgresError: the embedded one cannot be used.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        yield UsedDatabase(conninfo=url, psql='psql "$TINYFORGE_DATABASE_URL"', revive=lambda: None)
        return
    with embedded_postgres(_folder(settings)) as embedded:
        psql = "psql" if shutil.which("psql") else embedded.psql
        yield UsedDatabase(conninfo=embedded.conninfo, psql=f"{psql} {embedded.conninfo}", revive=embedded.revive)


@contextmanager
def existing_database(settings: Settings) -> Iterator[UsedDatabase]:
    """Use the database as `used_database` does, but make none: a question needs no new database to answer it.

    Raises:
        NothingRanYet: there is no embedded one.
        EmbeddedPostgresError: the embedded one cannot be used.
    """
    if settings.database_url is None and not _is_there(layout_in(_folder(settings)).data):
        raise NothingRanYet(
            f"nothing has run yet: there is no database in {_folder(settings)}. Start with `tinyforge run`; "
            "TINYFORGE_DATA or TINYFORGE_DATABASE_URL name another one."
        )
    with used_database(settings) as used:
        yield used


def database_if_any(settings: Settings, stack: ExitStack) -> UsedDatabase | TinyforgeError:
    """Use the database for as long as `stack` lasts, if there is one, else return why there is none."""
    try:
        return stack.enter_context(existing_database(settings))
    except (NothingRanYet, EmbeddedPostgresError) as error:
        return error


@asynccontextmanager
async def opened(used: UsedDatabase) -> AsyncIterator[Database]:
    """Open sessions to a database, for the length of a block."""
    database = Database(used.conninfo, session="tinyforge-cli", connect_timeout=_POOL_SECONDS, size=2)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_reports(used: UsedDatabase) -> AsyncIterator[Reports]:
    """Open what the index says, for the length of a block.

    Raises:
        IndexUnavailable: PostgreSQL does not answer.
        IndexRefused: it refuses this role or database.
    """
    async with opened(used) as database:
        await database.probe()
        yield Reports(database)


def _folder(settings: Settings) -> Path:
    return settings.data or default_folder(os.environ)


def _is_there(data: Path) -> bool:
    try:
        return data.exists()
    except PermissionError:  # then whoever uses it says whose it is
        return True
