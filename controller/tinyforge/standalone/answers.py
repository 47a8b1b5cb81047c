"""Answers to what people ask the running controller (`tinyforge.index.requests`).

Each request is answered by a task of its own, so that one about a hung host keeps nobody waiting. A request that cannot be answered
now, because PostgreSQL does not take the answer, stays open and is met again.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tinyforge.domain.passes import PassReport
from tinyforge.index.led import LedIndex
from tinyforge.index.requests import Request, RequestKind
from tinyforge.ports import EngineError, Fenced, IndexRefused, IndexUnavailable, TinyforgeError
from tinyforge.reconcile.explain import Explanation, explain
from tinyforge.standalone.host_loops import HostLoops

logger = logging.getLogger(__name__)

Answer = Mapping[str, Any]

_RETRY_SECONDS = 1.0


class Answers:
    """Answers open requests whenever it is told that there may be some."""

    def __init__(self, *, index: LedIndex, loops: HostLoops, group: asyncio.TaskGroup) -> None:
        self._index = index
        self._loops = loops
        self._group = group
        self._asked = asyncio.Event()
        self._under_way: set[int] = set()

    def look(self) -> None:
        """Look at the open requests soon."""
        self._asked.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                requests = await self._index.requests.open_requests()
            except Fenced:
                raise
            except (IndexUnavailable, IndexRefused):
                await asyncio.sleep(_RETRY_SECONDS)
                self._asked.set()
                continue
            for request in requests:
                if request.id not in self._under_way:
                    self._under_way.add(request.id)
                    self._group.create_task(self._settle(request), name=f"request {request.id}")

    async def _settle(self, request: Request) -> None:
        try:
            await self._index.requests.answer(request, await self._answer_or_say_why(request))
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:
            logger.warning(
                "request %d not answered yet: %s", request.id, error, extra={"action": "request_postponed", "request": request.id}
            )
            await asyncio.sleep(_RETRY_SECONDS)
            self._asked.set()
        finally:
            self._under_way.discard(request.id)

    async def _answer_or_say_why(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except (Fenced, IndexUnavailable):
            raise
        except TinyforgeError as error:
            return {"error": str(error)}

    async def _answer(self, request: Request) -> Answer:
        if request.host and request.host not in self._loops.hosts:
            return {"error": f'no DockerHost "{request.host}" is declared; declared are: {", ".join(sorted(self._loops.hosts)) or "none"}'}
        hosts = [request.host] if request.host else list(self._loops.hosts)
        match request.kind:
            case RequestKind.SYNC:
                return {"passes": [describe_pass(report) for report in await self._loops.ask(hosts)]}
            case RequestKind.EXPLAIN:
                return await self._explain(request.argument, hosts)
            case RequestKind.FORGET:
                return await self._forget(request.argument)
            case RequestKind.DEPLOY:
                return {"error": "this release deploys nothing yet"}

    async def _explain(self, container: str, hosts: list[str]) -> Answer:
        async def one(host: str) -> list[Explanation] | EngineError:
            try:
                return await explain(container, host=host, engine=self._loops.hosts[host].engine, index=self._index.containers)
            except EngineError as error:
                return error

        found = dict(zip(hosts, await asyncio.gather(*(one(host) for host in hosts)), strict=True))
        return {
            "explanations": [asdict(it) for answers in found.values() if not isinstance(answers, EngineError) for it in answers],
            "failures": {host: f"{error.reason}: {error}" for host, error in found.items() if isinstance(error, EngineError)},
        }

    async def _forget(self, argument: str) -> Answer:
        workload, _, role = argument.partition("\n")
        forgotten = await self._index.housekeeping.forget(workload, role=role or None)
        return {"deleted": list(forgotten.deleted), "kept": list(forgotten.kept)}


def describe_pass(report: PassReport) -> Answer:
    """Return a report as `--json` prints it (design: the shapes of `--json`)."""
    return {
        "host": report.host,
        "outcome": report.outcome,
        "reason": report.reason,
        "message": report.message,
        "listed": report.listed,
        "matched": report.matched,
        "ignored": report.ignored,
        "written": report.written,
        "missing": report.missing,
        "durationSeconds": round(report.duration_seconds, 6),
    }
