"""A process is seen to be alive, sees who leads, and hears of requests, whatever its session goes through meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.index.attending import Notes, held
from tests.index.conftest import Sql
from tests.index.link import link
from tests.index.waiting import until
from tests.servers.postgres import OwnPostgres
from tinyforge.domain.leaders import LeadersLook
from tinyforge.index.leadership import Identity, claim, read_leader
from tinyforge.index.presence import Presence
from tinyforge.index.schema import migrate
from tinyforge.ports import Fenced, IndexRefused, Term

ASK = "INSERT INTO tinyforge.sync_requests (kind) VALUES ('sync')"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
QUERY_START = "SELECT query_start FROM pg_stat_activity WHERE application_name = %s"
END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"


@asynccontextmanager
async def presence_of(term: Term, url: str) -> AsyncIterator[Presence]:
    """A presence for the length of a block."""
    presence = Presence(url, session=term.session)
    try:
        yield presence
    finally:
        await presence.close()


@asynccontextmanager
async def leading(url: str, *, through: str = "") -> AsyncIterator[tuple[Term, Notes]]:
    """Lead a database and hold a presence, through another address if one is given, for the length of a block."""
    notes = Notes()
    term = await claim(url, Identity.draw())
    async with presence_of(term, through or url) as presence, held(presence, notes):
        yield term, notes


async def test_a_look_sees_who_leads_and_that_the_server_can_be_written_to(database_url: str, postgres_server: OwnPostgres) -> None:
    async with leading(database_url) as (term, notes):
        look = notes.looks[0]
        assert (look.epoch, look.holder, look.session, look.driver, look.lease) == (1, term.holder, term.session, "standalone", "")
        assert look.claimed_at is not None
        assert look.primary
        ((up,),) = postgres_server.sql("SELECT extract(epoch FROM now() - pg_postmaster_start_time())::float8")
        assert 0 < look.server_up <= up < look.server_up + 30


async def test_before_the_first_claim_a_look_sees_that_nobody_leads(database_url: str) -> None:
    notes = Notes()
    async with presence_of(Term(epoch=0, holder="", session="tinyforge/standby"), database_url) as presence, held(presence, notes):
        assert notes.looks[0] == LeadersLook(
            epoch=0, holder="", session="", driver="", lease="", server_up=notes.looks[0].server_up, sessions={}
        )


async def test_a_claim_is_seen_at_once_and_not_with_the_next_look(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyforge.index.presence._LOOK_SECONDS", 60)
    async with leading(database_url) as (_, notes):
        successor = await claim(database_url, Identity.draw())
        async with asyncio.timeout(1):
            await until(lambda: notes.looks[-1].holder == successor.holder)


async def test_what_nobody_was_told_of_is_seen_with_the_next_look(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (_, notes):
        sql("UPDATE tinyforge.leaders SET holder = ''")
        async with asyncio.timeout(1):
            await until(lambda: notes.looks[-1].holder == "")


async def test_a_claim_that_was_made_while_the_session_was_away_is_seen_at_its_return(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (term, notes):
        sql(END, term.session)
        sql("UPDATE tinyforge.leaders SET epoch = epoch + 1, holder = 'the next'")  # and nobody was notified
        async with asyncio.timeout(1):
            await until(lambda: notes.looks[-1].holder == "the next")


async def test_what_the_attendant_raises_ends_it_and_leaves_the_session_open(database_url: str, sql: Sql) -> None:
    class Deposed(Notes):
        def looked(self, look: LeadersLook) -> None:
            raise Fenced("enough")

    term = await claim(database_url, Identity.draw())
    async with presence_of(term, database_url) as presence:
        with pytest.raises(Fenced, match="enough"):
            await presence.hold(Deposed())
        assert len(sql(SESSIONS, term.session)) == 1


async def test_one_session_serves_the_standby_and_then_the_leader_without_a_gap(
    database_url: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = Identity.draw()
    standby, leader = Notes(), Notes()
    async with presence_of(Term(epoch=0, holder="", session=identity.session), database_url) as presence:
        monkeypatch.setattr("tinyforge.index.presence._LOOK_SECONDS", 0.0)  # so that it nearly always looks when it is cancelled
        seen = []
        for turn in range(20):
            async with held(presence, standby):
                seen += sql(SESSIONS, identity.session)
                await asyncio.sleep(turn / 5000)
        term = await claim(database_url, identity)
        async with held(presence, leader):
            assert set(seen) == set(sql(SESSIONS, identity.session))
            assert (leader.looks[0].epoch, leader.looks[0].holder) == (term.epoch, term.holder)
    assert standby.losses.locked()
    await until(lambda: sql(SESSIONS, identity.session) == [])


async def test_the_leaders_sessions_are_seen_with_what_tells_a_heart_that_beats(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (term, notes):
        ((pid,),) = sql(SESSIONS, term.session)
        first, second = await notes.next_look(), await notes.next_look()
        assert list(first.sessions) == list(second.sessions) == [pid]
        assert isinstance(first.sessions[pid], str)
        assert first.sessions[pid] != second.sessions[pid]


async def test_a_session_that_does_nothing_is_seen_not_to_change_and_one_that_ends_is_seen_no_more(database_url: str) -> None:
    standby = Identity.draw()
    term = await claim(database_url, Identity.draw())
    notes = Notes()
    async with presence_of(Term(epoch=0, holder="", session=standby.session), database_url) as presence, held(presence, notes):
        with closing(psycopg.connect(database_url, application_name=term.session)) as frozen:
            await until(lambda: len(notes.looks[-1].sessions) == 1)
            first, second = await notes.next_look(), await notes.next_look()
            assert list(second.sessions) == [frozen.info.backend_pid]
            assert first.sessions == second.sessions
        await until(lambda: notes.looks[-1].sessions == {})


async def test_of_another_roles_session_nobody_can_say_when_it_changed(database_url: str) -> None:
    role = f"other_{database_url.partition('?')[0].rpartition('_')[2]}"
    term = await claim(database_url, Identity.draw())
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
        admin.execute(SQL("GRANT USAGE ON SCHEMA tinyforge TO {}").format(Identifier(role)))
        admin.execute(SQL("GRANT ALL ON ALL TABLES IN SCHEMA tinyforge TO {}").format(Identifier(role)))
        try:
            theirs = psycopg.conninfo.make_conninfo(database_url, user=role)
            notes = Notes()
            with closing(psycopg.connect(database_url, application_name=term.session)) as ours:
                async with presence_of(Term(epoch=0, holder="", session="tinyforge/other"), theirs) as presence, held(presence, notes):
                    assert notes.looks[0].sessions == {ours.info.backend_pid: None}
        finally:
            admin.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(role)))


async def test_its_heartbeat_can_be_seen_by_the_servers_clock(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (term, _):
        before = sql(QUERY_START, term.session)
        await until(lambda: sql(QUERY_START, term.session) != before)


async def test_without_its_row_nobody_can_lead_and_migrate_is_named_and_restores_it(database_url: str, sql: Sql) -> None:
    term = await claim(database_url, Identity.draw())
    async with presence_of(term, database_url) as presence:
        holding = asyncio.create_task(presence.hold(notes := Notes()))
        await notes.next_look()
        sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
        sql("DELETE FROM tinyforge.leaders")
        sql("ALTER TABLE tinyforge.leaders ENABLE TRIGGER ALL")
        with pytest.raises(IndexRefused, match=r"row of tinyforge\.leaders is gone; `tinyforge migrate` restores it"):
            await asyncio.wait_for(holding, 1)
    await migrate(database_url)
    assert sql("SELECT name, epoch, holder FROM tinyforge.leaders") == [("main", 0, "")]


async def test_every_request_is_heard_at_once(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (_, notes):
        for _turn in range(3):
            sql(ASK)
            await asyncio.wait_for(notes.requests.acquire(), 1)


async def test_requests_that_come_together_are_heard_and_cost_no_look_each(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (_, notes):
        for _turn in range(30):
            await asyncio.to_thread(sql, ASK)
        await asyncio.wait_for(notes.requests.acquire(), 1)
        assert len(notes.looks) < 15


async def test_a_request_that_was_made_while_the_session_was_away_is_made_up_for(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (term, notes):
        sql(END, term.session)
        sql(ASK)
        await asyncio.wait_for(notes.requests.acquire(), 1)


@pytest.mark.parametrize("end", ["fast", "immediate"])
async def test_fault_13_it_outlives_a_restart_of_the_server(end: str, own_postgres: OwnPostgres) -> None:
    async with leading(own_postgres.url) as (term, notes):
        await asyncio.to_thread(own_postgres.stop, end)  # type: ignore[arg-type] # the parameters above are its modes
        await asyncio.wait_for(notes.losses.acquire(), 1)
        await asyncio.to_thread(own_postgres.start)
        await asyncio.wait_for(notes.requests.acquire(), 1)
        assert len(own_postgres.sql(SESSIONS, term.session)) == 1
        assert (await notes.next_look()).server_up < 30
        own_postgres.sql(ASK)
        await asyncio.wait_for(notes.requests.acquire(), 1)


async def test_while_there_is_no_session_it_says_why(own_postgres: OwnPostgres) -> None:
    presence = Presence(own_postgres.url, session="tinyforge/me")
    assert presence.trouble
    notes = Notes()
    async with held(presence, notes):
        assert presence.trouble == ""
        await asyncio.to_thread(own_postgres.stop)
        for _ in range(2):
            await asyncio.wait_for(notes.losses.acquire(), 1)
        assert presence.trouble.startswith("PostgreSQL: ")
        await asyncio.to_thread(own_postgres.start)
        await asyncio.wait_for(notes.requests.acquire(), 1)
        assert presence.trouble == ""
    await presence.close()


async def test_fault_15_a_standby_is_seen_to_be_one_and_tried_again_ten_times_a_second(own_postgres: OwnPostgres) -> None:
    await asyncio.to_thread(own_postgres.stop)
    (own_postgres.data / "standby.signal").touch()
    await asyncio.to_thread(own_postgres.start)
    presence, notes = Presence(own_postgres.url, session="tinyforge/me"), Notes()
    holding = asyncio.create_task(presence.hold(notes))
    await asyncio.sleep(1)
    assert 3 < len(notes.looks) < 15
    assert not any(look.primary for look in notes.looks)
    own_postgres.sql("SELECT pg_promote()")
    await asyncio.wait_for(notes.requests.acquire(), 5)
    assert notes.looks[-1].primary
    holding.cancel()
    await asyncio.wait({holding})
    await presence.close()


async def test_release_leaves_the_row_without_a_holder_held_or_not_and_only_if_it_is_its_own(database_url: str, sql: Sql) -> None:
    async with leading(database_url) as (term, _), presence_of(term, database_url) as presence:
        await presence.release(term)
        assert sql("SELECT epoch, holder FROM tinyforge.leaders") == [(term.epoch, "")]
        successor = await claim(database_url, Identity.draw())
        await presence.release(term)
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            assert (await read_leader(connection)).holder == successor.holder


async def test_release_keeps_nobody_waiting_who_has_no_link(database_url: str) -> None:
    async with link(database_url) as between:
        term = await claim(database_url, Identity.draw())
        async with presence_of(term, between.url) as presence, held(presence, Notes()):
            between.die()
            async with asyncio.timeout(0.6):
                await presence.release(term)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heart that beats, and gives up, a few times as fast."""
    monkeypatch.setattr("tinyforge.index.presence._LOOK_SECONDS", 0.1)
    monkeypatch.setattr("tinyforge.index.presence._TIMEOUT", 0.2)


@pytest.mark.usefixtures("impatient")
async def test_a_dead_link_is_noticed_by_the_heartbeat_and_left(database_url: str) -> None:
    async with link(database_url) as between, leading(database_url, through=between.url) as (_, notes):
        between.die()
        await asyncio.wait_for(notes.losses.acquire(), 1)
        between.revive()
        await asyncio.wait_for(notes.requests.acquire(), 5)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("moment", [0.0, 0.15, 0.35])
async def test_p5_it_ends_at_once_on_a_dead_link_in_the_middle_of_anything(moment: float, database_url: str) -> None:
    async with link(database_url) as between:
        presence, notes = Presence(between.url, session="tinyforge/me"), Notes()
        async with held(presence, notes) as holding:
            between.die()
            await asyncio.sleep(moment)  # it listens, its heart beats, it connects
            holding.cancel()
            async with asyncio.timeout(0.5):
                with pytest.raises(asyncio.CancelledError):
                    await holding
        await presence.close()
