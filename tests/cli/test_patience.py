"""Waiting for PostgreSQL and for the API server."""

import logging

import pytest

from tinyforge.cli.database import UsedDatabase
from tinyforge.cli.patience import Reviving, until_available
from tinyforge.cluster import ClusterRefused, ClusterUnavailable
from tinyforge.ports import IndexRefused, IndexUnavailable, TinyforgeError


async def test_it_waits_until_there_is_an_answer_and_says_each_complaint_once(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | str] = [IndexUnavailable("away"), IndexUnavailable("away"), IndexUnavailable("full"), "answer"]

    async def attempt() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    told: list[str] = []
    with caplog.at_level(logging.INFO):
        assert await until_available(attempt, pause=0, told=told.append) == "answer"
    assert caplog.messages == [
        "away; trying again every 0 s",
        "full; trying again every 0 s",
        "what was waited for is there (failures: 3)",
    ]
    assert told == ["away", "away", "full"]


@pytest.mark.parametrize("answer", [ClusterUnavailable("away"), ClusterRefused(403, "forbidden")])
async def test_an_api_server_is_waited_for_whatever_it_refuses(answer: Exception) -> None:
    outcomes = [answer]

    async def attempt() -> str:
        if outcomes:
            raise outcomes.pop()
        return "answer"

    assert await until_available(attempt, pause=0) == "answer"


async def test_a_no_that_stays_no_is_not_waited_for() -> None:
    async def attempt() -> str:
        raise IndexRefused("not yours")

    with pytest.raises(IndexRefused, match="not yours"):
        await until_available(attempt, pause=0)


async def test_what_keeps_a_server_from_starting_again_is_said_once_whatever_its_log_adds(caplog: pytest.LogCaptureFixture) -> None:
    complaints = ["it ends:\n06:30:13 no space", "it ends:\n06:30:15 no space", "it may not run:\n06:30:17 denied"]

    def revive() -> None:
        raise TinyforgeError(complaints.pop(0))

    reviving = Reviving(UsedDatabase(conninfo="", psql="", revive=revive), pause=0)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await reviving.revive()
    assert caplog.messages == ["it ends:\n06:30:13 no space", "it may not run:\n06:30:17 denied"]


async def test_a_server_that_started_and_cannot_start_later_is_said_again(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = ["no space", "", "no space"]

    def revive() -> None:
        if complaint := outcomes.pop(0):
            raise TinyforgeError(complaint)

    reviving = Reviving(UsedDatabase(conninfo="", psql="", revive=revive), pause=0)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await reviving.revive()
    assert caplog.messages == ["no space"] * 2
