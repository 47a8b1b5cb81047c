"""Terms that follow each other on one database, each with its intents."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.index.conftest import Open
from tinyforge.domain.intents import Intent
from tinyforge.index.housekeeping import Housekeeping
from tinyforge.index.intents import PostgresIntents
from tinyforge.index.leadership import Identity, claim
from tinyforge.ports import Term

OPEN = "SELECT id FROM tinyforge.intents WHERE closed_at IS NULL ORDER BY id"


@dataclass
class Led:
    """A term and its intents."""

    term: Term
    intents: PostgresIntents
    housekeeping: Housekeeping

    async def opened(self, name: str = "web", *, host: str = "local", seconds: float = 60.0) -> Intent:
        return await self.intents.open(host=host, object=name, action="create", seconds=seconds)


Claim = Callable[[], Awaitable[Led]]


@pytest.fixture
async def lead_anew(database_url: str, opened: Open) -> Claim:
    """Claim the database for another process."""

    async def lead_anew() -> Led:
        term = await claim(database_url, Identity.draw())
        database = await opened(database_url, session=term.session)
        return Led(term, PostgresIntents(database=database, term=term), Housekeeping(database=database, term=term))

    return lead_anew


@pytest.fixture
async def led(lead_anew: Claim) -> Led:
    """The first term."""
    return await lead_anew()
