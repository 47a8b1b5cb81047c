"""An asynchronous failover of PostgreSQL that loses a claim: the deposed leader is kept out again as soon as the true one is back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.index.examples import HOST, complete, declare, host, new, row
from tests.index.standby import Standby, either, standby_of
from tests.index.waiting import until
from tests.servers.postgres import OwnPostgres
from tinyforge.index.leadership import EpochClaiming, Identity
from tinyforge.index.led import LedIndex, led
from tinyforge.index.presence import Presence
from tinyforge.ports import Fenced
from tinyforge.reconcile.attendance import Attendance

TRACE = """
CREATE TABLE trace (id bigserial, epoch bigint);
CREATE FUNCTION trace() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trace (epoch) VALUES (NEW.epoch); RETURN NULL; END $$;
CREATE TRIGGER trace AFTER UPDATE ON tinyforge.leaders FOR EACH ROW EXECUTE FUNCTION trace();
"""


@pytest.fixture
def standby(own_postgres: OwnPostgres, postgres_programs: Path) -> Iterator[Standby]:
    own_postgres.sql(TRACE)
    with standby_of(own_postgres, postgres_programs) as standby:
        yield standby


@asynccontextmanager
async def leading(url: str, epoch: int) -> AsyncIterator[LedIndex]:
    """Lead with an epoch, as whoever won a Lease does."""
    identity = Identity.draw()
    claiming = EpochClaiming(conninfo=url, identity=identity, driver="operator", lease="uid/tinyforge", take_over=False)
    term = await claiming.claim(epoch, give_up=lambda: True)
    presence = Presence(url, session=identity.session)
    async with led(url, term, presence) as index:
        yield index
    await presence.close()


async def fail_over(primary: OwnPostgres, standby: Standby) -> None:
    """Lose the primary, and make one of what the standby has."""
    await asyncio.to_thread(primary.kill)
    await asyncio.to_thread(standby.promote)


async def test_fault_14_the_stale_leader_is_refused_once_the_true_one_has_written_and_the_epoch_never_falls(
    own_postgres: OwnPostgres, standby: Standby
) -> None:
    url = either(own_postgres, standby)
    async with leading(url, 1) as stale:
        await stale.mirror.write(declare(host()), stale_after=60)
        await until(lambda: standby.has(own_postgres))
        standby.lag()
        await until(lambda: not standby.streams())
        async with leading(url, 2) as true:
            await true.containers.complete(complete(new(row("default/app:lost"))))
            await fail_over(own_postgres, standby)
            assert standby.sql("SELECT epoch, holder FROM tinyforge.leaders") == [(1, stale.term.holder)], "the claim was not lost"
            await stale.containers.complete(complete(new(row("default/app:stale"))))  # nobody can know better yet (leadership: I1)
            regained = asyncio.create_task(true.claim.regained())
            await true.containers.complete(complete(new(row("default/app:true"))))
            await asyncio.wait_for(regained, 1)
            for _ in range(3):
                with pytest.raises(Fenced, match=f"{true.term.holder} took over with epoch 2"):
                    await stale.containers.complete(complete(new(row("default/app:late"))))
            assert set((await true.containers.snapshot(HOST)).view.rows) == {"default/app:stale", "default/app:true"}
            assert standby.sql("SELECT epoch FROM trace ORDER BY id") == [(1,), (2,)]


async def test_fault_14_a_true_leader_that_has_nothing_to_write_makes_its_claim_again_all_the_same(
    own_postgres: OwnPostgres, standby: Standby
) -> None:
    url = either(own_postgres, standby)
    async with leading(url, 1):
        await until(lambda: standby.has(own_postgres))
        standby.lag()
        await until(lambda: not standby.streams())
        async with leading(url, 2) as true:
            regained = asyncio.Event()

            async def lost() -> None: ...

            attendance = Attendance(index=true, requested=lambda: None, lost=lost, regained=regained.set)
            attending = asyncio.create_task(attendance.run())
            await fail_over(own_postgres, standby)
            await asyncio.wait_for(regained.wait(), 3)
            assert standby.sql("SELECT epoch, holder FROM tinyforge.leaders") == [(2, true.term.holder)]
            attending.cancel()
            await asyncio.wait({attending})


async def test_fault_14_a_failover_that_loses_nothing_changes_nothing(own_postgres: OwnPostgres, standby: Standby) -> None:
    async with leading(either(own_postgres, standby), 1) as index:
        await index.mirror.write(declare(host()), stale_after=60)
        await until(lambda: standby.has(own_postgres))
        await fail_over(own_postgres, standby)
        regained = asyncio.create_task(index.claim.regained())
        await index.containers.complete(complete(new(row())))
        assert not regained.done()
        regained.cancel()
        assert standby.sql("SELECT epoch FROM trace ORDER BY id") == [(1,)]
