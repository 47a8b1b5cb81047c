"""A leader is seen to be alive, hears of requests, and hears of its own end, whatever its session goes through meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from tests.index.conftest import Sql
from tests.index.link import link
from tests.index.waiting import until
from tests.servers.postgres import OwnPostgres
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.presence import Presence
from tinyforge.ports import Fenced, Term

ASK = "INSERT INTO tinyforge.sync_requests (kind) VALUES ('sync')"


@dataclass
class Held:
    """A presence that is held, and what it has told of."""

    term: Term
    url: str
    requests: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    losses: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(Presence(self.url, self.term).hold(self.requests.release, self._lost))

    async def _lost(self) -> None:
        self.losses.release()


@asynccontextmanager
async def holding(url: str, *, through: str = "") -> AsyncIterator[Held]:
    """Lead a database and hold a presence, through another address if one is given, for the length of a block."""
    held = Held(await claim(url, Identity.draw()), through or url)
    try:
        await held.requests.acquire()  # the session is there: it has looked
        yield held
    finally:
        held.task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await held.task


async def test_a_claim_reaches_the_deposed_within_a_second_and_names_the_new_holder(database_url: str) -> None:
    async with holding(database_url) as held:
        successor = Identity.draw()
        term = await claim(database_url, successor)
        with pytest.raises(Fenced, match=f"{successor.holder} took over with epoch {term.epoch}; this process had epoch {held.term.epoch}"):
            await asyncio.wait_for(held.task, 1)


async def test_a_claim_that_was_made_while_the_session_was_away_is_found_at_its_return(database_url: str, sql: Sql) -> None:
    async with holding(database_url) as held:
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", held.term.session)
        sql("UPDATE tinyforge.leaders SET epoch = epoch + 1, holder = 'the next'")  # and nobody was notified
        with pytest.raises(Fenced, match="the next took over"):
            await asyncio.wait_for(held.task, 1)


async def test_a_claim_of_its_own_does_not_end_it(database_url: str, sql: Sql) -> None:
    async with holding(database_url) as held:
        sql("SELECT pg_notify('tinyforge_leaders', 'anybody')")
        sql(ASK)
        await asyncio.wait_for(held.requests.acquire(), 1)
        assert not held.task.done()


async def test_every_request_is_heard_at_once(database_url: str, sql: Sql) -> None:
    async with holding(database_url) as held:
        for _ in range(3):
            sql(ASK)
            await asyncio.wait_for(held.requests.acquire(), 1)


async def test_requests_that_come_together_are_heard(database_url: str, sql: Sql) -> None:
    async with holding(database_url) as held:
        for _ in range(5):
            sql(ASK)
        await asyncio.wait_for(held.requests.acquire(), 1)


async def test_a_request_that_was_made_while_the_session_was_away_is_made_up_for(database_url: str, sql: Sql) -> None:
    async with holding(database_url) as held:
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", held.term.session)
        sql(ASK)
        await asyncio.wait_for(held.requests.acquire(), 1)


async def test_its_heartbeat_can_be_seen_by_the_servers_clock(database_url: str, sql: Sql) -> None:
    async with holding(database_url) as held:

        def heartbeat() -> object:
            return sql("SELECT state_change FROM pg_stat_activity WHERE application_name = %s", held.term.session)

        before = heartbeat()
        await until(lambda: heartbeat() != before)


@pytest.mark.parametrize("end", ["fast", "immediate"])
async def test_fault_13_it_outlives_a_restart_of_the_server(end: str, own_postgres: OwnPostgres) -> None:
    async with holding(own_postgres.url) as held:
        await asyncio.to_thread(own_postgres.stop, end)  # type: ignore[arg-type] # the parameters above are its modes
        await asyncio.wait_for(held.losses.acquire(), 1)
        await asyncio.to_thread(own_postgres.start)
        await asyncio.wait_for(held.requests.acquire(), 1)
        assert own_postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", held.term.session) == [(1,)]
        own_postgres.sql(ASK)
        await asyncio.wait_for(held.requests.acquire(), 1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heart that beats, and gives up, ten times as fast."""
    monkeypatch.setattr("tinyforge.index.presence._BEAT_SECONDS", 0.1)
    monkeypatch.setattr("tinyforge.index.presence._TIMEOUT", 0.2)


@pytest.mark.usefixtures("impatient")
async def test_a_dead_link_is_noticed_by_the_heartbeat_and_left(database_url: str) -> None:
    async with link(database_url) as between, holding(database_url, through=between.url) as held:
        between.die()
        await asyncio.wait_for(held.losses.acquire(), 1)
        between.revive()
        await asyncio.wait_for(held.requests.acquire(), 5)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("moment", [0.0, 0.15, 0.35])
async def test_p5_it_ends_at_once_on_a_dead_link_in_the_middle_of_anything(moment: float, database_url: str) -> None:
    async with link(database_url) as between, holding(database_url, through=between.url) as held:
        between.die()
        await asyncio.sleep(moment)  # it listens, its heart beats, it connects
        held.task.cancel()
        async with asyncio.timeout(0.5):
            with pytest.raises(asyncio.CancelledError):
                await held.task
