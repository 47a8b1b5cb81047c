"""Objects as lists and watches tell of them, without a server: for orders that a real one cannot be made to keep to."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from tests.objects.documents import docker_host, workload
from tinyforge.cluster import Cluster, ObjectKind, ObjectList, ObjectState
from tinyforge.operator.declared_objects import DeclaredObjects

Raw = dict[str, Any]


def told(document: Raw, version: int, *, uid: str = "", generation: int = 1, deleted: bool = False) -> Raw:
    """An object as the API server tells of it."""
    metadata = {
        **document["metadata"],
        "uid": uid or f"uid-of-{document['metadata']['name']}",
        "resourceVersion": str(version),
        "generation": generation,
        "creationTimestamp": "2026-11-24T12:00:00Z",
    }
    return {**document, "metadata": metadata | ({"deletionTimestamp": "2026-11-24T12:30:00Z"} if deleted else {})}


def told_workload(version: int, name: str = "web", *, namespace: str = "default", uid: str = "", **more: Any) -> Raw:
    """A workload as the API server tells of it; its group is its version, so that it can be told which one is known."""
    return told(workload(name, namespace=namespace, group=f"at-{version}"), version, uid=uid, **{"generation": version} | more)


def told_host(version: int, name: str = "local", **more: Any) -> Raw:
    """A host as the API server tells of it."""
    return told(docker_host(name), version, **more)


class Lists:
    """An API server without hosts, whose lists of workloads take until `answer`."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[asyncio.Future[ObjectList]] = asyncio.Queue()

    async def list_objects(self, kind: ObjectKind, _namespace: str = "") -> ObjectList:
        if kind is ObjectKind.DOCKER_HOST:
            return ObjectList(objects=(), resource_version="0")
        answer: asyncio.Future[ObjectList] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait(answer)
        return await answer

    async def answer(self, objects: Iterable[Raw] = (), *, version: int = 0) -> None:
        """Answer the list that is asked for."""
        answer = await self._asked.get()
        answer.set_result(ObjectList(objects=tuple(objects), resource_version=str(version)))


class Server:
    """Workloads that are written and deleted; a watch for each tells of it in its order, and as late as it is told to."""

    def __init__(self) -> None:
        self._version = 0
        self._objects: dict[str, Raw] = {}
        self._watches: list[list[tuple[str, Raw]]] = []
        self._watch_of: dict[str, list[tuple[str, Raw]]] = {}

    @property
    def versions(self) -> dict[str, str]:
        """At which version each object is."""
        return {f"default/{name}": raw["metadata"]["resourceVersion"] for name, raw in self._objects.items()}

    def write(self, name: str) -> None:
        """Write an object, which may be a new one."""
        self._version += 1
        if name not in self._objects:
            self._watch_of[name] = []
            self._watches.append(self._watch_of[name])
        uid = f"{name}-{len(self._watches)}" if name not in self._objects else self._objects[name]["metadata"]["uid"]
        self._objects[name] = told_workload(self._version, name, uid=uid)
        self._watch_of[name].append(("seen", self._objects[name]))

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        if found := self._objects.pop(name, None):
            self._version += 1
            self._watch_of[name].append(("gone", told_workload(self._version, name, uid=found["metadata"]["uid"])))

    def listed(self) -> tuple[list[Raw], int]:
        """All objects as they are now."""
        return list(self._objects.values()), self._version

    def tell(self, known: "Known", number: int) -> None:
        """Let one of the watches that have something to tell do so."""
        if waiting := [watch for watch in self._watches if watch]:
            what, raw = waiting[number % len(waiting)].pop(0)
            (known.objects.seen if what == "seen" else known.objects.gone)(raw)

    def tell_everything(self, known: "Known") -> None:
        """Let all watches tell the rest, the youngest first."""
        while any(self._watches):
            self.tell(known, -1)


class Known:
    """What is known of some objects, and what was said of them besides."""

    def __init__(self, namespaces: Sequence[str] = ()) -> None:
        self.lists = Lists()
        self.vanished: list[str] = []
        self.watched: list[str] = []
        self.objects = DeclaredObjects(
            cluster=cast("Cluster", self.lists),
            namespaces=namespaces,
            watched=lambda state: self.watched.append(_text(state)),
            vanished=lambda state: self.vanished.append(_text(state)),
        )

    @property
    def versions(self) -> dict[str, str]:
        """At which version each object is known."""
        return {it.name: it.state.resource_version for it in self.objects}


def _text(state: ObjectState) -> str:
    return f"{state.ref.uid}@{state.resource_version}"
