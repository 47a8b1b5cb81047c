"""Signals and the event loop of a verb.

The first SIGINT or SIGTERM takes the orderly way out: in a verb's own code it is raised as an exception, in its event loop it cancels the
work. The second one ends the process at once, whatever it is doing. The two signals differ in the exit code only.

No end waits for what does not end (rule P5): work and tasks that swallow their cancellation are left behind, and that is said.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

import click

from tinyforge.cli.ending import Ending
from tinyforge.domain.texts import printable

logger = logging.getLogger(__name__)

T = TypeVar("T")

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 0}

_WORK_SECONDS = 5.0
"""How long a verb's own work may take to end once a signal cancelled it, beside what it is given to finish what it has begun. All that it
waits for is bounded, by 2 s (kopf) at most."""
_REST_SECONDS = 0.5
"""How long what is left when the work has ended may take. It is half of rule P5's second: a plugin's call has had the other half."""
_NAMED = 8  # tasks that a message names before it counts the rest
_NAME_LENGTH = 100  # characters


class Terminated(KeyboardInterrupt):
    """SIGTERM came: out the same way as after a Ctrl-C, but with the exit code of a thing that is done."""


_RAISED: dict[signal.Signals, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


@contextmanager
def signals_raised() -> Iterator[None]:
    """Raise a signal as its exception, for the length of a block; a SIGINT that a shell had us ignore (`&` in a script) too."""
    before = {number: signal.signal(number, _raise) for number in _RAISED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(work: Coroutine[Any, Any, T], *, drain: float = 0.0) -> T:
    """Run asynchronous work in an event loop of its own and return what it returns.

    Args:
        work: the work, which a signal cancels.
        drain: for how many seconds it may then finish what it has begun, before its end counts as such.

    Raises:
        KeyboardInterrupt: SIGINT came, and the work ended.
        Terminated: SIGTERM came, and the work ended.
    """
    gc.freeze()  # what is imported stays: else every fourth pass over 5,000 containers would look through all of it again
    runner = asyncio.Runner()
    ending = click.get_current_context().ensure_object(Ending)
    try:
        return runner.run(_until_signalled(work, seconds=drain + _WORK_SECONDS))
    finally:
        left = runner.run(_end_the_rest())
        if left:
            ending.leave(runner, *left)
        else:
            runner.close()


async def _until_signalled(work: Coroutine[Any, Any, T], *, seconds: float) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    overdue = loop.create_future()
    received: list[signal.Signals] = []

    def receive(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()
        loop.call_later(seconds, overdue.cancel)
        for each in _RAISED:
            loop.remove_signal_handler(each)
            signal.signal(each, _end_at_once)

    for number in _RAISED:
        loop.add_signal_handler(number, receive, number)
    try:
        await asyncio.wait((task, overdue), return_when=asyncio.FIRST_COMPLETED)
        if received and (not task.done() or task.cancelled()):
            raise _RAISED[received[0]]
        return task.result()
    finally:
        if not received:
            for number in _RAISED:
                loop.remove_signal_handler(number)
                signal.signal(number, _raise)


async def _end_the_rest() -> Collection["asyncio.Task[Any]"]:
    """End what the work left, as `asyncio.run` would, but for so long only; return the tasks that do not end, once that was said."""
    loop = asyncio.get_running_loop()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    closing = {
        asyncio.ensure_future(loop.shutdown_asyncgens()),
        asyncio.ensure_future(loop.shutdown_default_executor()),  # waits for calls in threads, and is never to be cancelled
    }
    _, left = await asyncio.wait(rest | closing, timeout=_REST_SECONDS)
    if left - closing:
        logger.error("not ended when cancelled, and left behind: %s", _names(left - closing), extra={"action": "tasks_left_behind"})
    return left


def _names(tasks: Collection["asyncio.Task[Any]"]) -> str:
    names = sorted(printable(_name(task), _NAME_LENGTH) for task in tasks)
    rest = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join(names[:_NAMED] + rest)


def _name(task: "asyncio.Task[Any]") -> str:
    """Return a task's name, or that of what it runs if nobody named it."""
    name = task.get_name()
    return getattr(task.get_coro(), "__qualname__", name) if name.startswith("Task-") else name


def _raise(number: int, _frame: FrameType | None) -> None:
    for each in _RAISED:
        signal.signal(each, _end_at_once)
    raise _RAISED[signal.Signals(number)]


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(EXIT_CODES[signal.Signals(number)])
