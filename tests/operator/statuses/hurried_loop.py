"""An event loop whose time passes while it has nothing to do: what waits for an hour by the clock has waited for it at once.

For what nobody can sit through: outages of any length. Nothing in it may wait for a real socket, process or thread.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _HurriedSelector(selectors.DefaultSelector):
    """Sees at once what there is, and holds the time for passed that it was to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        assert ready or timeout is not None, "everything waits, and for nothing that will come"
        if not ready:
            self.now += max(timeout or 0.0, 0.0)
        return ready


class _HurriedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _HurriedSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in no time."""
    with asyncio.Runner(loop_factory=_HurriedLoop) as runner:
        return runner.run(work)
