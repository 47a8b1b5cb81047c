"""The one writer of statuses. Handlers say what a status should be and go on; what the API server makes of it stops and delays nobody.

It is level-triggered: of each object it knows the newest value that is wanted and the newest that was seen, and it writes when they differ,
for whatever reason: a new value, an edit by somebody else, a write that got lost. It writes by server-side apply over exactly the object
that was seen, so an edit in between, or a successor of the same name, is a conflict and no accident. `StatusRecord` knows when an object
is due, `ServerPause` whether the server may be asked; here is the I/O.

kopf's own patch is not used: on 1.45 a refused one ends the object's timer for good, and while one is retried the timer makes no pass.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectKind, ObjectMoved, ObjectRef, ObjectState
from tinyforge.objects.docker_host import DockerHostStatus
from tinyforge.objects.schema import structural_schema
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.operator.patience import ServerPause
from tinyforge.operator.status_complaints import StatusComplaints
from tinyforge.operator.status_fit import fit_status
from tinyforge.operator.status_record import StatusRecord

PLACES = 8
"""How many requests are under way at once."""
STOP_SECONDS = 1.0
"""How long requests under way may go on after the stop."""

_MODELS = {ObjectKind.DOCKER_HOST: DockerHostStatus, ObjectKind.WORKLOAD: WorkloadStatus}
_NOT_FOUND = 404


class StatusObjects(Protocol):
    """What the writer needs of a cluster: `tinyforge.cluster.Cluster` has it."""

    async def read_object(self, ref: ObjectRef) -> ObjectState | None:
        """Return the object of that name as it is now."""
        ...

    async def apply_status(self, ref: ObjectRef, *, resource_version: str, status: Mapping[str, Any]) -> ObjectState:
        """Write a status over an object as it was at `resource_version`."""
        ...


class StatusWriter:
    """The statuses of all objects. All methods belong to one event loop, and none but `run` waits for anything.

    Args:
        objects: where they are.
        chance: a number from 0 to 1, another each time, which spreads what failed together.
    """

    def __init__(self, *, objects: StatusObjects, chance: Callable[[], float] = random.random) -> None:
        self._objects = objects
        self._chance = chance
        self._records: dict[ObjectRef, StatusRecord] = {}
        self._ready: dict[ObjectRef, None] = {}  # in the order of their turn
        self._timers: dict[ObjectRef, asyncio.TimerHandle] = {}
        self._requests: dict[ObjectRef, asyncio.Task[None]] = {}
        self._pause = ServerPause(places=PLACES)
        self._complaints = StatusComplaints()
        self._group: asyncio.TaskGroup | None = None
        self._reopening: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()

    @property
    def unwritten(self) -> int:
        """How many objects are not known to show what they should."""
        return sum(not record.in_order for record in self._records.values())

    def put(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        """Want an object's status to be this: JSON values by field, the whole of what we say. What is too long is cut."""
        if self._stopped.is_set():
            return
        fitted = fit_status(status, structural_schema(_MODELS[ref.kind]))
        self._complaints.left_out(ref, fitted.left_out)
        record = self._record(ref)
        record.want(fitted.status)
        self._consider(record)

    def watched(self, state: ObjectState) -> None:
        """Take note of an object as a list or a watch tells of it."""
        if self._stopped.is_set():
            return
        record = self._record(state.ref)
        record.saw(state)
        self._consider(record)

    def gone(self, ref: ObjectRef) -> None:
        """Forget an object that was deleted."""
        self._records.pop(ref, None)
        self._ready.pop(ref, None)
        self._cancel_timer(ref)
        self._complaints.forget(ref)

    async def run(self) -> None:
        """Write until `stop` is called; then return within a second."""
        async with asyncio.TaskGroup() as self._group:
            self._start_requests()
            await self._stopped.wait()
            if self._requests:
                await asyncio.wait(self._requests.values(), timeout=STOP_SECONDS)
            for request in self._requests.values():
                request.cancel()

    def stop(self) -> None:
        """Start no request any more, from this moment on; idempotent."""
        self._stopped.set()
        self._ready.clear()
        for ref in list(self._timers):
            self._cancel_timer(ref)
        if self._reopening:
            self._reopening.cancel()

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _record(self, ref: ObjectRef) -> StatusRecord:
        if ref not in self._records:
            self._records[ref] = StatusRecord(ref, now=self._now)
        return self._records[ref]

    def _consider(self, record: StatusRecord) -> None:
        """Give an object its turn, now or later, if it needs one and has none."""
        self._cancel_timer(record.ref)
        due_at = record.due_at()
        if due_at is None or record.ref in self._requests or self._stopped.is_set():
            return
        if due_at > self._now:
            self._timers[record.ref] = asyncio.get_running_loop().call_at(due_at, self._consider, record)
        else:
            self._ready[record.ref] = None
            self._start_requests()

    def _cancel_timer(self, ref: ObjectRef) -> None:
        if timer := self._timers.pop(ref, None):
            timer.cancel()

    def _start_requests(self) -> None:
        """Start as many requests as may be under way."""
        while self._group and self._ready and len(self._requests) < self._pause.places(self._now):
            ref = next(iter(self._ready))
            del self._ready[ref]
            record = self._records[ref]
            due_at = record.due_at()
            if due_at is not None and due_at <= self._now:
                self._requests[ref] = self._group.create_task(self._request(record), name=f"status of {ref}")
            else:
                self._consider(record)  # it was overtaken while it waited for its turn
        if self._ready and self._pause.until > self._now and not self._reopening:
            self._reopening = asyncio.get_running_loop().call_at(self._pause.until, self._reopen)

    def _reopen(self) -> None:
        self._reopening = None
        self._start_requests()

    async def _request(self, record: StatusRecord) -> None:
        """Do one thing about an object, and see what it needs next."""
        version = record.resource_version
        try:
            await (self._write(record, version) if record.is_current else self._look(record, version))
        except ObjectMoved:
            self._answered()
            record.moved(version, now=self._now, chance=self._chance())
        except ClusterRefused as error:
            self._answered()
            self._refused(record, error, version)
        except ClusterUnavailable as error:
            self._failed(record, error, version)
        finally:
            del self._requests[record.ref]
        if record.ref in self._records:  # perhaps as another record: it was forgotten, and wanted again
            self._consider(self._records[record.ref])
        self._start_requests()

    async def _write(self, record: StatusRecord, version: str) -> None:
        sent = record.wanted or {}
        state = await self._objects.apply_status(record.ref, resource_version=version, status=sent)
        self._answered()
        self._complaints.taken(record.ref)
        record.wrote(state, sent, now=self._now, chance=self._chance())

    async def _look(self, record: StatusRecord, version: str) -> None:
        state = await self._objects.read_object(record.ref)
        self._answered()
        if state is None:
            record.moved(version, now=self._now, chance=self._chance())
        elif state.ref != record.ref:
            self.gone(record.ref)
        else:
            record.read(state)

    def _answered(self) -> None:
        self._pause.answered(self._now)
        self._complaints.answers()

    def _refused(self, record: StatusRecord, error: ClusterRefused, version: str) -> None:
        if error.status == _NOT_FOUND:
            record.moved(version, now=self._now, chance=self._chance())
        else:
            self._complaints.refused(record.ref, error)
            record.refused(error, now=self._now, chance=self._chance())

    def _failed(self, record: StatusRecord, error: ClusterUnavailable, version: str) -> None:
        if self._pause.failed(error, now=self._now, chance=self._chance()):
            self._complaints.away(error)
        else:
            self._complaints.refused(record.ref, error)
        record.failed(error, version, answers=self._pause.answers, now=self._now, chance=self._chance())
