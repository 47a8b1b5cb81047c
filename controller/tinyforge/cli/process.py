"""Signals and the event loop of a verb.

The first SIGINT or SIGTERM takes the orderly way out: in a verb's own code it is raised as an exception, in its event loop it cancels the
work. The second one ends the process at once, whatever it is doing. The two signals differ in the exit code only.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 0}


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


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work in an event loop of its own and return what it returns.

    Raises:
        KeyboardInterrupt: SIGINT came, and the work ended.
        Terminated: SIGTERM came, and the work ended.
    """
    gc.freeze()  # what is imported stays: else every fourth pass over 5,000 containers would look through all of it again
    return asyncio.run(_until_signalled(work))


async def _until_signalled(work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def receive(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()
        for each in _RAISED:
            loop.remove_signal_handler(each)
            signal.signal(each, _end_at_once)

    for number in _RAISED:
        loop.add_signal_handler(number, receive, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise _RAISED[received[0]] from None
        raise
    finally:
        if not received:
            for number in _RAISED:
                loop.remove_signal_handler(number)
                signal.signal(number, _raise)


def _raise(number: int, _frame: FrameType | None) -> None:
    for each in _RAISED:
        signal.signal(each, _end_at_once)
    raise _RAISED[signal.Signals(number)]


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(EXIT_CODES[signal.Signals(number)])
