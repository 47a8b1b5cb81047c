"""Taking down what the sources of workloads put up that are no longer declared, before they leave the mirror.

It happens beside everything else: one that takes long, or that fails, holds up its own workload only.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from itertools import count

from tinyforge.domain.dispatch import Attempt, DispatchReport, back_off
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable

logger = logging.getLogger(__name__)

TearDown = Callable[[str], Awaitable[DispatchReport | None]]

_RETRY_SECONDS = 10.0


class Teardowns:
    """The teardowns of a term.

    Args:
        tear_down: takes one workload down, in an attempt of which it is told which it is; None if there is nothing to take down.
        group: where they run.
        ended: called when a workload may go.
    """

    def __init__(
        self,
        *,
        tear_down: Callable[[str, Attempt], Awaitable[DispatchReport | None]],
        group: asyncio.TaskGroup,
        ended: Callable[[], None],
    ) -> None:
        self._tear_down = tear_down
        self._group = group
        self._ended = ended
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._without_host: frozenset[str] = frozenset()
        self._again = asyncio.Event()

    def pending(self, gone: Collection[str], *, without_host: Collection[str] = ()) -> frozenset[str]:
        """Begin what has to be taken down of the workloads in `gone`, and return those that have to stay until it is.

        The host of those in `without_host` is no longer declared either, and may be broken for good: they are let go at the first failure.
        What is under way for a workload that is not in `gone` is given up: it is declared again, or was revoked.
        """
        if not self._without_host.issuperset(without_host):
            self.try_again()
        self._without_host = frozenset(without_host)
        for workload in self._tasks.keys() - gone:
            self._tasks.pop(workload).cancel()
        for workload in set(gone) - self._tasks.keys():
            task = self._group.create_task(self._until_down(workload), name=f"teardown of {workload}")
            task.add_done_callback(lambda _: self._ended())
            self._tasks[workload] = task
        return frozenset(workload for workload in gone if not self._tasks[workload].done())

    def try_again(self) -> None:
        """Try at once what is waiting: a host answers that did not."""
        self._again.set()
        self._again = asyncio.Event()

    async def _until_down(self, workload: str) -> None:
        for failures in count(start=1):
            again = self._again  # as it is before the look: what happens during it counts
            attempt = Attempt(number=failures, rest=partial(self._rest, workload, failures))
            if await is_down(workload, partial(self._attempt, attempt), without_host=lambda: workload in self._without_host):
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_rest(failures)):
                    await again.wait()

    async def _attempt(self, attempt: Attempt, workload: str) -> DispatchReport | None:
        return await self._tear_down(workload, attempt)

    def _rest(self, workload: str, failures: int, _: DispatchReport) -> float | None:
        """Return in how many seconds it is tried again; None if it is given up."""
        return None if workload in self._without_host else _rest(failures)


def _rest(failures: int) -> float:
    return back_off(failures, interval=_RETRY_SECONDS, asked_for=0.0)


async def is_down(workload: str, tear_down: TearDown, *, without_host: Callable[[], bool]) -> bool:
    """Take one workload down, once, and return whether it may go: what is given up for good is left behind, and that is said.

    Args:
        workload: its id.
        tear_down: takes one workload down; None if there is nothing to take down.
        without_host: tells whether its host is no longer declared either; asked when it failed.

    Raises:
        Fenced: another process leads.
    """
    try:
        report = await tear_down(workload)
    except Fenced:
        raise
    except (IndexUnavailable, IndexRefused) as error:
        logger.debug("workload %s: %s", workload, error)
        return False
    if report is None or not report.failed:
        return True
    is_left = report.hopeless or without_host()
    if is_left:
        logger.error(
            "workload %s: what its source put up is left behind: %s: %s",
            workload,
            report.reason,
            report.message,
            extra={"action": "teardown_given_up", "workload": workload, "reason": report.reason},
        )
    return is_left
