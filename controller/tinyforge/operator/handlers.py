"""What kopf calls: each handler takes note of an object, or calls one use case and waits for its end."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import kopf

from tinyforge.objects.metadata import GROUP, VERSION
from tinyforge.operator.bridge import Bridge, NotDone
from tinyforge.operator.declared_objects import DeclaredObjects
from tinyforge.operator.finalizer_gate import FinalizerGate
from tinyforge.reconcile.leading import Leading
from tinyforge.reconcile.places import place

HOSTS = (GROUP, VERSION, "dockerhosts")
WORKLOADS = (GROUP, VERSION, "workloads")

_DELETED = "DELETED"


class Handlers:
    """The handlers of one term, as bound methods.

    Args:
        bridge: the way into the main loop.
        objects: what is declared.
        leading: the use cases.
        login: how kopf gets to the cluster.
        interval: the seconds between two ticks of a timer.
    """

    def __init__(
        self, *, bridge: Bridge, objects: DeclaredObjects, leading: Leading, login: Callable[..., kopf.ConnectionInfo], interval: float
    ) -> None:
        self._bridge = bridge
        self._objects = objects
        self._leading = leading
        self._login = login
        self._interval = interval
        self._gate = FinalizerGate()

    def registry(self) -> kopf.OperatorRegistry:
        """Return a registry with all handlers. A registry of one's own comes without a login handler."""
        self._gate = FinalizerGate()  # kopf starts anew, with another event loop
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry, id="login")(self._login)
        for resource in (HOSTS, WORKLOADS):
            kopf.on.event(*resource, registry=registry, id="event")(self.object_changed)
        kopf.on.delete(*HOSTS, registry=registry, id="delete")(self.host_is_deleted)
        kopf.on.delete(*WORKLOADS, registry=registry, id="delete")(self.workload_is_deleted)
        self._timer(HOSTS, registry)(self.time_for_a_pass)
        self._timer(WORKLOADS, registry)(self.time_for_a_turn)
        return registry

    def _timer(self, resource: tuple[str, str, str], registry: kopf.OperatorRegistry) -> Any:
        return kopf.timer(
            *resource,
            registry=registry,
            id="timer",
            interval=self._interval,
            initial_delay=self.first_tick,
            errors=kopf.ErrorsMode.TEMPORARY,
            backoff=self._interval,
        )

    def first_tick(self, *, namespace: str | None, name: str, **_: Any) -> float:
        """Return after how many seconds an object's timer ticks first. What happens at once at the start happens without it."""
        return self._interval * place(f"{namespace}/{name}" if namespace else name)

    async def object_changed(self, *, type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's name
        """Take note of an object that is there, has changed, or is gone; kopf puts the finalizer on when this returns."""
        if type == _DELETED:
            self._bridge.tell(self._objects.gone, dict(body))
            self._gate.leave(body["metadata"]["uid"])
        else:
            self._bridge.tell(self._objects.seen, dict(body))
            await self._gate.pass_through(body["metadata"])

    async def time_for_a_pass(self, *, name: str, stopped: kopf.DaemonStopped, **_: Any) -> None:
        """Run a pass of a host."""
        await self._tick(partial(self._leading.timed_pass, name), stopped)

    async def time_for_a_turn(self, *, namespace: str | None, name: str, stopped: kopf.DaemonStopped, **_: Any) -> None:
        """Take a turn of a workload."""
        await self._tick(partial(self._leading.timed_turn, f"{namespace}/{name}"), stopped)

    async def host_is_deleted(self, *, name: str, uid: str, **_: Any) -> None:
        """Wait until a deleted host is out of the mirror; then kopf takes the finalizer out, and the object is gone."""
        await self._released(partial(self._leading.until_out_of_force, host=name, unless=lambda: self._objects.is_gone(name, uid)))

    async def workload_is_deleted(self, *, namespace: str | None, name: str, uid: str, **_: Any) -> None:
        """Wait until a deleted workload is torn down and out of the mirror."""
        id_ = f"{namespace}/{name}"
        await self._released(partial(self._leading.until_out_of_force, workload=id_, unless=lambda: self._objects.is_gone(id_, uid)))

    async def _tick(self, work: Callable[[], Coroutine[Any, Any, None]], stopped: kopf.DaemonStopped) -> None:
        """Do what is due, and leave it when the timer is to stop: a deleted object keeps its finalizer for as long as its timer ticks."""
        due = asyncio.ensure_future(self._bridge.call(work))
        told = asyncio.ensure_future(stopped.wait())
        try:
            await asyncio.wait({due, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            due.cancel()
            told.cancel()
            await asyncio.gather(due, told, return_exceptions=True)

    async def _released(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the end of what keeps an object. It stays if the term ends before: what is not done is the next leader's to do."""
        try:
            await self._bridge.call(work)
        except NotDone as error:
            raise kopf.TemporaryError(str(error), delay=0) from error
