"""One call of a plugin ends within its time and a moment, whatever the plugin does (rule D1)."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import pytest

from tests.reconcile.deliberate_plugins import Unspeakable
from tinyforge.reconcile.plugin_call import PluginFailed, call_plugin

Call = Callable[[], Awaitable[object]]

MOMENT = 5.0
"""Seconds that half a second may take on a busy machine; every hang in these tests lasts longer."""


async def test_what_a_plugin_answers_is_what_the_call_returns() -> None:
    assert await called(lambda: asyncio.sleep(0, "answer"), wanted=(str,)) == "answer"


ERRORS = {
    "an ordinary error": (ValueError("no such thing"), "ValueError: no such thing"),
    "the end of the process": (SystemExit("enough"), "SystemExit: enough"),
    "a Ctrl-C": (KeyboardInterrupt(), "KeyboardInterrupt"),
    "the end of a generator": (GeneratorExit(), "GeneratorExit"),
    "a group": (BaseExceptionGroup("two", [SystemExit(1), ValueError("x")]), "BaseExceptionGroup: two (2 sub-exceptions)"),
    "no words": (Unspeakable(), "Unspeakable"),
    "terminal codes": (RuntimeError("\x1b[31mred\nalert\0"), "RuntimeError: [31mred alert"),
}


@pytest.mark.parametrize("kind", ERRORS)
async def test_d1_whatever_a_plugin_raises_is_told_on_one_line_and_ends_nothing(kind: str) -> None:
    error, words = ERRORS[kind]

    async def raising() -> NoReturn:
        raise error

    failed = await failure(raising)
    assert (failed.reason, str(failed), failed.retry_after) == ("PluginRaised", f"source.reconcile: raised {words}", 0.0)
    assert failed.__cause__ is error


async def test_d1_an_error_of_ten_million_words_is_told_in_a_few() -> None:
    async def raising() -> NoReturn:
        raise ValueError("long " * 10_000_000)

    assert len(str(await failure(raising))) < 400


async def test_d1_a_plugin_that_is_no_coroutine_or_raises_before_it_is_one_is_told_too() -> None:
    def raising() -> NoReturn:
        raise ValueError("at once")

    assert "raised ValueError: at once" in str(await failure(raising))
    unawaitable: Any = lambda: 5  # noqa: E731 - typed so, because no type checker would let it through
    assert "raised TypeError: object int can't be used in 'await' expression" in str(await failure(unawaitable))


@pytest.mark.parametrize("answer", [None, 5, "Unchanged", str, {"outcome": "unchanged"}])
async def test_d1_an_answer_of_another_kind_is_none(answer: object) -> None:
    failed = await failure(lambda: asyncio.sleep(0, answer), wanted=(bytes, float))
    name = type(answer).__name__
    assert (failed.reason, str(failed)) == (
        "BadAnswer",
        f"source.reconcile: answered a {name}, and only bytes or float is an answer",
    )


async def test_d1_a_plugin_that_hangs_is_cancelled_when_its_time_is_over() -> None:
    cancelled = asyncio.Event()

    async def hanging() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.timeout(MOMENT):
        failed = await failure(hanging, seconds=0.01)
    assert (failed.reason, str(failed)) == ("TimedOut", "source.reconcile: gave no answer within 0.01 s")
    assert cancelled.is_set()


async def test_d1_a_plugin_that_swallows_its_cancellation_is_left_behind_a_moment_later_and_that_is_said(
    stubborn: "Stubborn", caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(MOMENT):
        failed = await failure(stubborn, seconds=0.01)
    assert (failed.reason, stubborn.runs) == ("TimedOut", True)
    assert "source.reconcile does not end when it is cancelled; it is left behind" in caplog.messages


async def test_d1_a_plugin_that_hangs_holds_nobody_else_up(stubborn: "Stubborn") -> None:
    hung = [asyncio.create_task(failure(stubborn, seconds=0.05)) for _ in range(50)]
    async with asyncio.timeout(MOMENT):
        await called(lambda: asyncio.sleep(0))
        assert {(await it).reason for it in hung} == {"TimedOut"}


async def test_d1_a_plugin_that_answers_when_it_is_cancelled_has_answered() -> None:
    async def late() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "after all"
        raise AssertionError

    assert await called(late, wanted=(str,), seconds=0.01) == "after all"


async def test_d1_a_plugin_that_cancels_itself_did_not_take_too_long() -> None:
    async def giving_up() -> NoReturn:
        raise asyncio.CancelledError

    failed = await failure(giving_up)
    assert (failed.reason, str(failed)) == ("PluginRaised", "source.reconcile: cancelled itself")


async def test_p5_a_stop_ends_a_plugin_that_hangs_at_once() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def hanging() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await stopped(hanging, began)
    assert cancelled.is_set()


async def test_p5_a_stop_waits_no_second_for_a_plugin_that_swallows_its_cancellation(stubborn: "Stubborn") -> None:
    await stopped(stubborn, stubborn.began)
    assert stubborn.runs


async def test_nobody_complains_of_what_a_plugin_raised_when_it_was_stopped(caplog: pytest.LogCaptureFixture) -> None:
    began = asyncio.Event()

    async def resentful() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("how dare you")

    await stopped(resentful, began)
    await asyncio.sleep(0)
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == []


class Stubborn:
    """A plugin that goes on whenever it is cancelled, until it may end."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.runs = False

    async def __call__(self) -> None:
        self.began.set()
        self.runs = True
        while not self.may_end.is_set():
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                continue
        self.runs = False


@pytest.fixture
async def stubborn() -> AsyncIterator[Stubborn]:
    one = Stubborn()
    yield one
    one.may_end.set()
    while one.runs:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)


async def called(call: Call, *, wanted: tuple[type[Any], ...] = (object,), seconds: float = 5.0) -> Any:
    return await call_plugin("source.reconcile", call, wanted=wanted, seconds=seconds)


async def failure(call: Call, *, wanted: tuple[type[Any], ...] = (object,), seconds: float = 5.0) -> PluginFailed:
    """How a call fails."""
    with pytest.raises(PluginFailed) as failed:
        await called(call, wanted=wanted, seconds=seconds)
    return failed.value


async def stopped(call: Call, began: asyncio.Event) -> None:
    """Begin a call, stop it, and see it end in time."""
    task = asyncio.create_task(called(call, seconds=60))
    await began.wait()
    asked = time.monotonic()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert time.monotonic() - asked < MOMENT
