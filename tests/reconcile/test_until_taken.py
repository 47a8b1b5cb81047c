"""What PostgreSQL does not take is tried again; the log has one line for a trouble, and one for its end."""

import logging

import pytest

from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable
from tinyforge.reconcile.until_taken import until_taken


class Taking:
    """Raises these, one at a time, and then takes it."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "taken"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("tinyforge.reconcile.until_taken._RETRY_SECONDS", 0)
    caplog.set_level(logging.INFO, "tinyforge")


async def test_a_trouble_is_said_once_then_when_it_changes_and_its_end_with_how_often_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    taking = Taking(*[IndexUnavailable("away")] * 3, IndexRefused("no"), IndexRefused("no"))
    assert await until_taken("host web-1: pass not written", taking, action="pass_not_written", host="web-1") == "taken"
    assert [(it.levelname, it.__dict__["action"], it.getMessage()) for it in caplog.records] == [
        ("WARNING", "pass_not_written", "host web-1: pass not written: away"),
        ("WARNING", "pass_not_written", "host web-1: pass not written: no"),
        ("INFO", "written_again", "host web-1: pass not written: that is over (failures: 5)"),
    ]
    assert {it.__dict__["host"] for it in caplog.records} == {"web-1"}


async def test_what_is_taken_at_once_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert await until_taken("it", Taking(), action="pass_not_written") == "taken"
    assert caplog.records == []


async def test_what_begins_below_info_ends_below_it(caplog: pytest.LogCaptureFixture) -> None:
    taking = Taking(IndexUnavailable("away"))
    await until_taken("it", taking, action="turn_not_written", level=logging.DEBUG)
    assert caplog.records == []


async def test_p7_a_term_that_is_over_is_not_tried_again() -> None:
    with pytest.raises(Fenced):
        await until_taken("it", Taking(Fenced("b leads")), action="pass_not_written")
