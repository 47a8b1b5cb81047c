"""What a cluster declares: its DockerHosts and Workloads, as the last list and the watches since tell of them.

At the start of a term all objects are listed, so that what was deleted while nobody watched is known to be gone (rule P10); then kopf's
watches tell of changes. A watch that was interrupted does not tell of what vanished meanwhile with its finalizer taken out by hand, so the
list is read again now and then. Lists and watches come in any order, kopf's late by as long as its handlers take: what counts is what the
API server said last, by its resource versions.

An object that cannot be used is *held*: what the index has of it stays as it is, and its status says why.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tinyforge.cluster import Cluster, ClusterRefused, ClusterUnavailable, ObjectKind, ObjectList, ObjectState
from tinyforge.domain.complaints import Complaint
from tinyforge.domain.declarations import Declared, DeclaredWorkload, Reading
from tinyforge.domain.hosts import Host
from tinyforge.operator.declared_object import DeclaredObject, name_of, read_object
from tinyforge.operator.status_record import is_newer

logger = logging.getLogger(__name__)

RELIST_SECONDS = 120.0
REFUSED_SECONDS = 10.0
"""After how long a namespace that may not be listed is tried again: an API server that starts refuses for a moment what it soon grants."""
_RETRY_SECONDS = 2.0
_FORBIDDEN = 403

_Scope = tuple[ObjectKind, str]
"""What one list is of: a kind, and a namespace or all."""


class DeclaredObjects:
    """The objects of a cluster (`tinyforge.reconcile.declarations.Declaring`). All methods belong to the main event loop.

    Args:
        cluster: where they are listed.
        namespaces: those whose workloads count; all if there are none.
        watched: called with every object as it was just seen.
        vanished: called with every object that is gone.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        namespaces: Sequence[str],
        watched: Callable[[ObjectState], None],
        vanished: Callable[[ObjectState], None],
    ) -> None:
        self._cluster = cluster
        self._namespaces = tuple(namespaces)
        self._watched = watched
        self._vanished = vanished
        self._objects: dict[str, DeclaredObject] = {}
        self._listed_at: dict[_Scope, str] = {}
        self._gone_meanwhile: set[str] = set()  # the uids, while a list is being read
        self._refused: frozenset[_Scope] = frozenset()
        self._lists = asyncio.Condition()
        self._lists_begun = self._lists_ended = 0
        self._list_again = asyncio.Event()
        self._changed = asyncio.Event()

    def find(self, name: str) -> DeclaredObject | None:
        """Return a host by its name or a workload by its id."""
        return self._objects.get(name)

    def is_gone(self, name: str, uid: str) -> bool:
        """Whether there is no such object any more, though there may be another one of its name."""
        found = self._objects.get(name)
        return found is None or found.state.ref.uid != uid

    def __iter__(self) -> Iterator[DeclaredObject]:
        """Yield all objects."""
        return iter(list(self._objects.values()))

    async def keep_listing(self) -> None:
        """List all objects now, and then again and again until cancelled."""
        while True:
            self._list_again.clear()
            self._lists_begun += 1
            await self._list_when_answered()
            async with self._lists:
                self._lists_ended = self._lists_begun
                self._lists.notify_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(REFUSED_SECONDS if self._refused else RELIST_SECONDS):
                    await self._list_again.wait()

    async def list_again(self) -> None:
        """Have all objects listed anew, and wait for the end of that."""
        self._list_again.set()
        await self._list_ends(self._lists_begun + 1)

    async def listed(self) -> None:
        """Wait for the end of the first list."""
        await self._list_ends(1)

    def seen(self, raw: Mapping[str, Any]) -> None:
        """Take note of an object as a watch tells of it, unless that is older than what is known."""
        self._see(raw, ObjectState.of(raw))

    def gone(self, raw: Mapping[str, Any]) -> None:
        """Take note of an object that a watch says is gone."""
        state = ObjectState.of(raw)
        self._gone_meanwhile.add(state.ref.uid)
        if not self.is_gone(name_of(state), state.ref.uid):
            self._drop(name_of(state))

    async def read(self) -> Reading:
        """See `Declaring.read`. It waits for the end of the first list."""
        await self.listed()
        usable = [(it, it.value) for it in self._objects.values() if not it.deleted]
        unusable = [it for it in self._objects.values() if not it.deleted and it.value is None]
        return Reading(
            hosts=tuple(_origin(it, value) for it, value in usable if isinstance(value, Host)),
            workloads=tuple(_origin(it, value) for it, value in usable if isinstance(value, DeclaredWorkload)),
            complete=not self._refused,
            held_hosts=frozenset(it.name for it in unusable if not it.is_workload),
            held_workloads=frozenset(it.name for it in unusable if it.is_workload),
            deleted=frozenset(name for name, it in self._objects.items() if it.deleted),
        )

    async def changes(self) -> AsyncIterator[None]:
        """See `Declaring.changes`."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield

    async def _list_when_answered(self) -> None:
        """List all objects, again and again for as long as the API server does not let us."""
        complaint = Complaint()
        while True:
            try:
                await self._list_all()
            except (ClusterUnavailable, ClusterRefused) as error:
                if complaint.is_news(str(error)):
                    logger.warning("what is declared cannot be read yet: %s", error, extra={"action": "objects_not_listed"})
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if failures := complaint.over():
                    extra = {"action": "objects_listed", "failures": failures}
                    logger.info("what is declared can be read again (failures: %d)", failures, extra=extra)
                return

    async def _list_all(self) -> None:
        """List all objects; a namespace that the API server refuses is left out, and makes the reading incomplete."""
        await self._list((ObjectKind.DOCKER_HOST, ""))
        refused = set()
        for scope in [(ObjectKind.WORKLOAD, namespace) for namespace in self._namespaces or ("",)]:
            try:
                await self._list(scope)
            except ClusterRefused as error:
                if error.status != _FORBIDDEN or not scope[1]:
                    raise
                refused.add(scope)
                self._say_refused(scope, error)
        for _, namespace in self._refused - refused:
            logger.info(
                "the workloads of namespace %s may be listed again", namespace, extra={"action": "namespace_listed", "namespace": namespace}
            )
        if self._refused != refused:
            self._refused = frozenset(refused)
            self._changed.set()

    async def _list_ends(self, number: int) -> None:
        async with self._lists:
            await self._lists.wait_for(lambda: self._lists_ended >= number)

    async def _list(self, scope: _Scope) -> None:
        self._gone_meanwhile.clear()
        self._replace(scope, await self._cluster.list_objects(*scope))

    def _replace(self, scope: _Scope, listed: ObjectList) -> None:
        """Take a whole list for what there is, less what is known to be newer."""
        found = set()
        for raw in listed.objects:
            state = ObjectState.of(raw)
            found.add(name_of(state))
            if state.ref.uid not in self._gone_meanwhile:
                self._see(raw, state)
        for known in self:
            if known.name not in found and self._scope(known.state) == scope and not known.is_newer_than(listed.resource_version):
                self._drop(known.name)
        self._listed_at[scope] = listed.resource_version

    def _see(self, raw: Mapping[str, Any], state: ObjectState) -> None:
        """Take an object if this is newer than what is known: how it was, or that there was none."""
        known = self._objects.get(name_of(state))
        known_at = known.state.resource_version if known else self._listed_at.get(self._scope(state), "0")
        if is_newer(state.resource_version, known_at):
            self._take(raw, state)

    def _scope(self, state: ObjectState) -> _Scope:
        """Return which list an object is in."""
        return state.ref.kind, state.ref.namespace if self._namespaces else ""

    def _take(self, raw: Mapping[str, Any], state: ObjectState) -> None:
        name = name_of(state)
        before = self._objects.get(name)
        self._objects[name] = declared = read_object(raw, state, before=before)
        if before and before.state.ref != state.ref:
            self._vanished(before.state)
        self._watched(state)
        if before is None or before.identity != declared.identity:
            self._changed.set()

    def _drop(self, name: str) -> None:
        self._vanished(self._objects.pop(name).state)
        self._changed.set()

    def _say_refused(self, scope: _Scope, error: ClusterRefused) -> None:
        if scope not in self._refused:
            logger.warning(
                "the workloads of namespace %s may not be listed, so nothing is removed from the index until they may: %s",
                scope[1],
                error,
                extra={"action": "namespace_refused", "namespace": scope[1]},
            )


def _origin(declared: DeclaredObject, value: Any) -> Declared[Any]:
    return Declared(value=value, origin=str(declared.state.ref), since=declared.since, traceparent=declared.traceparent)
