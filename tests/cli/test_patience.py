"""Waiting for PostgreSQL."""

import logging

import pytest

from tinyforge.cli.patience import until_available
from tinyforge.ports import IndexRefused, IndexUnavailable


async def test_it_waits_until_there_is_an_answer_and_says_each_complaint_once(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | str] = [IndexUnavailable("away"), IndexUnavailable("away"), IndexUnavailable("full"), "answer"]

    async def attempt() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with caplog.at_level(logging.WARNING):
        assert await until_available(attempt, pause=0) == "answer"
    assert caplog.messages == ["away; trying again every 0 s", "full; trying again every 0 s"]


async def test_a_no_that_stays_no_is_not_waited_for() -> None:
    async def attempt() -> str:
        raise IndexRefused("not yours")

    with pytest.raises(IndexRefused, match="not yours"):
        await until_available(attempt, pause=0)
