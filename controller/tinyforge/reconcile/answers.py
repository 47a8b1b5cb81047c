"""Answers to what people ask the running controller (`tinyforge.ports.RequestQueue`).

Each request is answered by a task of its own, so that one about a hung host keeps nobody waiting, and once: an answer that PostgreSQL does
not take is kept until it does. A request for whose answer something in PostgreSQL could not be read stays open and is met again.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tinyforge.domain.complaints import Complaint
from tinyforge.domain.passes import PassReason, PassReport
from tinyforge.domain.requests import Request, RequestKind
from tinyforge.plugin import InboundEvent
from tinyforge.ports import Engine, EngineError, Fenced, IndexRefused, IndexUnavailable, LedIndex, TinyforgeError
from tinyforge.reconcile.explain import Explanation, explain
from tinyforge.reconcile.hosts import Hosts
from tinyforge.reconcile.under_way import UnderWay
from tinyforge.reconcile.until_taken import until_taken
from tinyforge.reconcile.workload_turns import WorkloadTurns

logger = logging.getLogger(__name__)

Answer = Mapping[str, Any]

_RETRY_SECONDS = 1.0


class Answers:
    """Answers open requests whenever it is told that there may be some.

    Args:
        index: the index, led.
        hosts: what a request may be about.
        turns: what deploys.
        group: where the answers run.
        under_way: what the term's planned end waits for; an answer is once it is known.
    """

    def __init__(
        self, *, index: LedIndex, hosts: Hosts, turns: WorkloadTurns, group: asyncio.TaskGroup, under_way: UnderWay | None = None
    ) -> None:
        self._index = index
        self._under_way = under_way or UnderWay()
        self._hosts = hosts
        self._turns = turns
        self._group = group
        self._asked = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._complaint = Complaint()

    def look(self) -> None:
        """Look at the open requests soon."""
        self._asked.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            ended = [id_ for id_, task in self._tasks.items() if task.done()]  # no list that is read from now on has them, once answered
            try:
                requests = await self._index.requests.open_requests()
            except Fenced:
                raise
            except (IndexUnavailable, IndexRefused):
                await asyncio.sleep(_RETRY_SECONDS)
                self._asked.set()
                continue
            for id_ in ended:
                del self._tasks[id_]
            for request in requests:
                if request.id not in self._tasks:
                    self._tasks[request.id] = self._group.create_task(self._settle(request), name=f"request {request.id}")

    async def _settle(self, request: Request) -> None:
        await self._under_way.may_begin()
        try:
            answer = await self._answer_or_say_why(request)
        except IndexUnavailable as error:
            if self._complaint.is_news(str(error)):
                logger.warning(
                    "request %d not answered yet: %s", request.id, error, extra={"action": "request_postponed", "request": request.id}
                )
            await asyncio.sleep(_RETRY_SECONDS)
            asyncio.get_running_loop().call_soon(self.look)  # when this task has ended, so that the request is met again
            return
        if failures := self._complaint.over():
            logger.info("requests are answered again (failures: %d)", failures, extra={"action": "requests_met", "failures": failures})
        with self._under_way.ending(f"the answer to request {request.id}"):
            await until_taken(
                f"request {request.id} not answered yet", lambda: self._index.requests.answer(request, answer), action="request_postponed"
            )

    async def _answer_or_say_why(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except (Fenced, IndexUnavailable):
            raise
        except TinyforgeError as error:
            return {"error": str(error)}

    async def _answer(self, request: Request) -> Answer:
        declared = self._hosts.by_name
        if request.host and request.host not in declared:
            return {"error": f'no DockerHost "{request.host}" is declared; declared are: {", ".join(sorted(declared)) or "none"}'}
        hosts = [request.host] if request.host else list(declared)
        match request.kind:
            case RequestKind.SYNC:
                return {"passes": [describe_pass(report) for report in await self._hosts.ask(hosts, PassReason.SYNC)]}
            case RequestKind.EXPLAIN:
                return await self._explain(request.argument, hosts)
            case RequestKind.FORGET:
                return await self._forget(request.argument)
            case RequestKind.DEPLOY:
                return await self._deploy(request)

    async def _explain(self, container: str, hosts: list[str]) -> Answer:
        async def one(host: str, engine: Engine) -> list[Explanation] | EngineError:
            try:
                return await explain(container, host=host, engine=engine, index=self._index.containers)
            except EngineError as error:
                return error

        each = [one(host, self._hosts.by_name[host].engine) for host in hosts]  # looked up now: a host may be closed meanwhile
        found = dict(zip(hosts, await asyncio.gather(*each), strict=True))
        return {
            "explanations": [asdict(it) for answers in found.values() if not isinstance(answers, EngineError) for it in answers],
            "failures": {host: f"{error.reason}: {error}" for host, error in found.items() if isinstance(error, EngineError)},
        }

    async def _forget(self, argument: str) -> Answer:
        workload, _, role = argument.partition("\n")
        forgotten = await self._index.housekeeping.forget(workload, role=role or None)
        return {"deleted": list(forgotten.deleted), "kept": list(forgotten.kept)}

    async def _deploy(self, request: Request) -> Answer:
        """Fire a workload's trigger once: the request's row is the event, and its id the event's, whoever leads when it is answered."""
        event = InboundEvent(id=f"request-{request.id}", kind="manual", sender=request.by)
        report = await self._turns.deploy(request.argument, event)
        if report is None:
            return {"error": f'no Workload "{request.argument}" is in force; `tinyforge workloads` lists those that are'}
        return {
            "workload": request.argument,
            "outcome": report.outcome,
            "reason": report.reason,
            "message": report.message,
            "traceID": report.trace_id,
        }


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
        "traceID": report.trace_id,
    }
