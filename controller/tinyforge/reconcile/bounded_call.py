"""One call that is given so much time and then told to end, by whatever clocks say how much is left.

Called by `tinyforge.reconcile.mutations`. Not `call_plugin`: that one has a fixed time and never needs to know what became of the call.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.25
"""The event loop's clock stands still while the machine sleeps, and a validity grows with each renewal: so both are looked at again."""
_GRACE_SECONDS = 0.35
"""How long a call may take to end once it is told to; less than the 0.5 s that a plugin is given which waits for this."""


def begin(call: Callable[[], Awaitable[T]], *, name: str) -> "asyncio.Task[T]":
    """Begin a call in a task of its own, whose error is never said to have been overlooked."""
    task = asyncio.create_task(_begun(call), name=name)
    task.add_done_callback(_seen)
    return task


async def ended_by_itself(task: "asyncio.Task[T]", *, left: Callable[[], float]) -> bool:
    """Wait for a call and return whether it ended by itself.

    If it has not when no seconds are `left`, or when the caller is cancelled, it is cancelled and its end is waited for a moment. It may go
    on all the same: then `task.done()` says so.
    """
    try:
        while not task.done() and (seconds := left()) > 0:
            await asyncio.wait({task}, timeout=min(seconds, _LOOK_SECONDS))
        return task.done()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE_SECONDS)


async def _begun(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


def _seen(task: "asyncio.Task[T]") -> None:
    if not task.cancelled():
        task.exception()
