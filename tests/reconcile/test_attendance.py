"""A leader hears the end of its term from its presence, and begins anew with all that it knows when its claim had been lost."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import pytest

from tests.index.conftest import Sql
from tests.index.examples import host
from tests.index.waiting import until
from tests.reconcile.terms import Term as LedTerm
from tinyforge.domain.leaders import LeadersLook
from tinyforge.index.led import LedIndex
from tinyforge.ports import Attendant, Fenced, IndexUnavailable, Term
from tinyforge.reconcile.attendance import Attendance

MINE = LeadersLook(epoch=5, holder="me", session="tinyforge/me", driver="operator", lease="uid/tinyforge", server_up=60.0)


@dataclass
class Standing:
    """A claim, and a presence that somebody else has the looks of."""

    term: Term = field(default_factory=lambda: Term(epoch=5, holder="me", session="tinyforge/me"))
    confirmed: int = 0
    unavailable: bool = False
    back: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, attendant: Attendant) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    async def confirm(self) -> None:
        self.confirmed += 1
        if self.unavailable:
            raise IndexUnavailable("away")

    async def regained(self) -> None:
        await self.back.wait()
        self.back.clear()


def attendance_of(standing: Standing, told: list[str]) -> Attendance:
    async def lost() -> None:
        told.append("lost")

    @dataclass
    class Index:
        term: Term
        presence: Standing
        claim: Standing

    index: Any = Index(standing.term, standing, standing)
    return Attendance(index=index, requested=lambda: told.append("requested"), lost=lost, regained=lambda: told.append("regained"))


@pytest.mark.parametrize(
    ("change", "who"),
    [
        ({"epoch": 6, "holder": "the next"}, "the next took over with epoch 6; this process had epoch 5"),
        ({"epoch": 6, "holder": ""}, "another process took over with epoch 6"),
        ({"holder": "the next"}, "the next took over with epoch 5"),
        ({"holder": ""}, "another process took over with epoch 5"),
        ({"epoch": 6, "holder": "the next", "primary": False}, "the next took over with epoch 6"),
    ],
)
async def test_a_look_that_shows_a_newer_epoch_or_another_holder_ends_the_term_and_names_it(change: dict[str, Any], who: str) -> None:
    with pytest.raises(Fenced, match=who):
        attendance_of(Standing(), []).looked(replace(MINE, **change))


async def test_fault_14_a_look_that_shows_an_older_epoch_has_the_claim_confirmed_until_it_is_found_again() -> None:
    standing, told = Standing(unavailable=True), list[str]()
    attendance = attendance_of(standing, told)
    attending = asyncio.create_task(attendance.run())
    attendance.looked(MINE)
    attendance.looked(replace(MINE, epoch=4, holder="the one before", primary=False))
    await asyncio.sleep(0.01)
    assert standing.confirmed == 0
    for times in (1, 2):
        attendance.looked(replace(MINE, epoch=4, holder="the one before"))
        await asyncio.sleep(0.01)
        assert standing.confirmed == times
    standing.back.set()
    await until(lambda: told == ["regained"])
    attending.cancel()
    await asyncio.wait({attending})


async def test_it_passes_on_what_it_hears() -> None:
    told = list[str]()
    attendance = attendance_of(Standing(), told)
    attendance.requested()
    await attendance.lost()
    assert told == ["requested", "lost"]


async def test_fault_14_after_a_lost_claim_was_made_again_every_host_has_a_pass(index: LedIndex, sql: Sql) -> None:
    term = LedTerm(index, host(), host("b"))
    async with term.led():
        await until(lambda: term.notes.passed_hosts() == ["b", "local"])
        lose(sql)
        await until(lambda: term.notes.passed_hosts() == ["b", "b", "local", "local"])
    assert sql("SELECT epoch FROM tinyforge.leaders") == [(index.term.epoch,)]


async def test_fault_14_and_what_is_declared_is_mirrored_again(index: LedIndex, sql: Sql) -> None:
    term = LedTerm(index, host())
    async with term.led():
        await until(lambda: term.notes.passed_hosts() == ["local"])
        sql("DELETE FROM tinyforge.hosts")  # the failover lost it too
        lose(sql)
        await until(lambda: sql("SELECT name FROM tinyforge.hosts WHERE removed_at IS NULL") == [("local",)])


def lose(sql: Sql) -> None:
    """Take the claim away, as a failover would, and the trigger allows nobody."""
    sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
    sql("UPDATE tinyforge.leaders SET epoch = 0, holder = 'the one before'")
    sql("ALTER TABLE tinyforge.leaders ENABLE TRIGGER ALL")
