"""One call of a plugin, which is somebody's code: it may raise, hang, answer nonsense or swallow its cancellation.

Whatever it does, the call ends within its time and a moment, with an answer of the right type or `PluginFailed`. The one thing that cannot
be contained is a plugin that blocks the event loop; `tinyforge.testing` finds those.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tinyforge.reconcile.plugins.faults import told

logger = logging.getLogger(__name__)

T = TypeVar("T")

_GRACE = 0.5


class PluginFailed(Exception):
    """A plugin gave no usable answer.

    `reason` is one stable word for it, `retry_after` in how many seconds trying again may help; None means that only a change can.
    """

    def __init__(self, reason: str, message: str, *, retry_after: float | None = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after


async def call_plugin(
    name: str, call: Callable[[], Awaitable[object]], *, wanted: tuple[type[T], ...], seconds: float, hidden: Sequence[object] = ()
) -> T:
    """Return what a call of a plugin answers.

    Args:
        name: what is called, for messages: `source.reconcile`.
        call: begins the call.
        wanted: the types that an answer may have.
        seconds: how long it may take. One that swallows its cancellation is left behind half a second later.
        hidden: configs, as JSON, of which the text of an error that it raised is to repeat nothing.

    Raises:
        PluginFailed: it raised (PluginRaised), took too long (TimedOut), or answered something else (BadAnswer).
    """
    task = asyncio.create_task(_contained(name, call, hidden), name=f"{name}, called by {_caller()}")
    task.add_done_callback(_seen)
    in_time: set[asyncio.Task[object]] = set()
    try:
        in_time, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        await _end(task, name)
    if not task.done() or (task.cancelled() and not in_time):
        raise PluginFailed("TimedOut", f"{name}: gave no answer within {seconds:g} s")
    if task.cancelled():
        raise PluginFailed("PluginRaised", f"{name}: cancelled itself")
    answer = task.result()
    if not isinstance(answer, wanted):
        expected = " or ".join(each.__name__ for each in wanted)
        raise PluginFailed("BadAnswer", f"{name}: answered a {type(answer).__name__}, and only {expected} is an answer")
    return answer


def _caller() -> str:
    caller = asyncio.current_task()
    return caller.get_name() if caller else ""


async def _contained(name: str, call: Callable[[], Awaitable[object]], hidden: Sequence[object]) -> object:
    try:
        return await call()
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        raise PluginFailed("PluginRaised", f"{name}: raised {told(error, *hidden)}") from error


async def _end(task: "asyncio.Task[object]", name: str) -> None:
    """Cancel a call that has not ended, and give it a moment; a stop of ours (rule P5) waits no longer for it either."""
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task}, timeout=_GRACE)
    if not task.done():
        logger.error("%s does not end when it is cancelled; it is left behind", name, extra={"action": "plugin_left_behind"})


def _seen(task: "asyncio.Task[object]") -> None:
    """Look at how a call ended, since nobody else may: who asked is told by `call_plugin`, or is gone."""
    if not task.cancelled():
        task.exception()
