"""What is known of the objects of a cluster, whatever comes in which order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objects.documents import workload
from tests.operator.told_objects import Known, Raw, Server, told, told_host, told_workload
from tinyforge.cluster import ObjectState
from tinyforge.domain.traces import Traceparent
from tinyforge.operator import declared_objects
from tinyforge.operator.declared_object import read_object

WEB = "default/web"


@asynccontextmanager
async def listing(known: Known) -> AsyncIterator[None]:
    """Somebody who lists all objects, and is asked for a list again at once when one was answered."""
    task = asyncio.create_task(known.objects.keep_listing())
    try:
        yield
    finally:
        task.cancel()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    monkeypatch.setattr(declared_objects, "RELIST_SECONDS", 0.0)
    monkeypatch.setattr(declared_objects, "REFUSED_SECONDS", 0.0)
    return Known()


async def settled() -> None:
    """Let whoever was answered take note of it."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_p10_nothing_is_read_before_everything_was_listed_once(known: Known):
    reading = asyncio.create_task(known.objects.read())
    async with listing(known):
        known.objects.seen(told_workload(7))
        await settled()
        assert not reading.done()
        await known.lists.answer([told_workload(7), told_workload(8, "db")], version=9)
        assert {it.value.key.id for it in (await reading).workloads} == {WEB, "default/db"}


PLACE = Traceparent("a" * 32, "b" * 16)


def annotated(version: int, text: Any, **more: Any) -> Raw:
    """A workload whose annotation says this."""
    raw = told_workload(version, **more)
    return raw | {"metadata": raw["metadata"] | {"annotations": {"tracing.k8s.io/traceparent": text}}}


async def test_a_workload_says_where_it_is_traced_also_when_nothing_else_of_it_changes(known: Known):
    async with listing(known):
        await known.lists.answer([annotated(1, str(PLACE))], version=1)
        assert (await known.objects.read()).traceparents == {WEB: PLACE}
        changes = known.objects.changes()
        await anext(changes)
        other = replace(PLACE, span_id="c" * 16)
        known.objects.seen(annotated(2, str(other), generation=1))
        async with asyncio.timeout(5):
            await anext(changes)
        assert (await known.objects.read()).traceparents == {WEB: other}
        known.objects.seen(told_workload(3, generation=1))
        assert (await known.objects.read()).traceparents == {}


@pytest.mark.parametrize("text", ["", "here", f"{PLACE} ", 7, ["a"], None])
async def test_m10_an_annotation_that_is_no_place_in_a_trace_is_no_fault_of_its_object(known: Known, text: Any):
    async with listing(known):
        await known.lists.answer([annotated(1, text)], version=1)
        reading = await known.objects.read()
    assert (len(reading.workloads), reading.held_workloads, reading.traceparents) == (1, frozenset(), {})


async def test_a_watch_that_lags_behind_the_list_changes_nothing(known: Known):
    async with listing(known):
        await known.lists.answer([told_workload(20)], version=30)
        await settled()
        known.objects.seen(told_workload(10))
        known.objects.seen(told_workload(25, "gone-before-the-list"))
        assert known.versions == {WEB: "20"}
        known.objects.seen(told_workload(31))
        assert known.versions == {WEB: "31"}


async def test_a_list_that_lags_behind_the_watch_changes_nothing(known: Known):
    async with listing(known):
        await known.lists.answer([told_workload(1), told_workload(2, "db")], version=3)
        await settled()
        known.objects.seen(told_workload(11))
        known.objects.seen(told_workload(12, "new"))
        known.objects.gone(told_workload(13, "db"))
        await known.lists.answer([told_workload(1), told_workload(2, "db")], version=10)
        await settled()
        assert known.versions == {WEB: "11", "default/new": "12"}
        await known.lists.answer([told_workload(11)], version=20)
        await settled()
        assert known.versions == {WEB: "11"}
        assert known.vanished == ["uid-of-db@2", "uid-of-new@12"]


async def test_what_is_told_late_of_an_object_does_not_hide_its_successor(known: Known):
    async with listing(known):
        await known.lists.answer([told_workload(1, uid="old")], version=1)
        await settled()
        known.objects.seen(told_workload(5, uid="new"))
        assert known.vanished == ["old@1"]
        known.objects.seen(told_workload(3, uid="old", deleted=True))
        known.objects.gone(told_workload(4, uid="old"))
        assert known.versions == {WEB: "5"}
        assert (known.objects.is_gone(WEB, "old"), known.objects.is_gone(WEB, "new")) == (True, False)


async def test_only_what_has_to_be_looked_at_again_is_a_change(known: Known):
    changes = known.objects.changes()
    known.objects.seen(told_workload(1, generation=1))
    await anext(changes)
    known.objects.seen({**told_workload(2, generation=1), "status": {"observedGeneration": 1}})
    waiting = asyncio.ensure_future(anext(changes))
    await settled()
    assert not waiting.done()
    assert known.watched == ["uid-of-web@1", "uid-of-web@2"]
    known.objects.seen(told_workload(3, generation=1, deleted=True))
    await waiting


async def test_a_namespace_is_no_host_and_a_deleted_object_is_no_longer_declared(known: Known):
    async with listing(known):
        await known.lists.answer([], version=1)
        await settled()
        known.objects.seen(told_host(2, "default"))
        known.objects.seen(told_workload(3))
        known.objects.seen(told_workload(4, "leaving", deleted=True))
        reading = await known.objects.read()
        assert [it.value.name for it in reading.hosts] == ["default"]
        assert [it.value.key.id for it in reading.workloads] == [WEB]
        assert reading.deleted == {"default/leaving"}
        await known.lists.answer([], version=2)
        await settled()
        assert known.versions == {"default": "2", WEB: "3", "default/leaving": "4"}


STEPS = st.lists(st.tuples(st.sampled_from(["write", "delete", "tell", "tell", "look", "answer"]), st.integers(0, 2)), max_size=40)


@given(STEPS)
def test_in_whatever_order_lists_and_watches_come_in_the_end_what_is_there_is_known(steps: list[tuple[str, int]]):
    """Each object has a watch of its own, as kopf has a queue for each, which tells of it in its order and as late as it likes."""
    asyncio.run(come_in_some_order(steps))


async def come_in_some_order(steps: list[tuple[str, int]]) -> None:
    known, server, lists = Known(), Server(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(declared_objects, "RELIST_SECONDS", 0.0)
        patch.setattr(declared_objects, "REFUSED_SECONDS", 0.0)
        async with listing(known):
            await settled()
            for what, number in steps:
                match what:
                    case "write":
                        server.write(f"web-{number}")
                    case "delete":
                        server.delete(f"web-{number}")
                    case "tell":
                        server.tell(known, number)
                    case "look":
                        lists.append(server.listed())
                    case "answer" if lists:
                        objects, version = lists.pop()
                        lists.clear()
                        await known.lists.answer(objects, version=version)
                        await settled()
            server.tell_everything(known)
            if lists:
                objects, version = lists[0]
                await known.lists.answer(objects, version=version)
                await settled()
    assert known.versions == server.versions


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["kind", "host", "ref", "composeProject", "group", "parent", "source", "trigger", "faces", "suspend", "endpoint", "tls", "ssh"]


@given(st.sampled_from(["Workload", "DockerHost"]), st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=12), JSON, max_size=8))
def test_an_object_that_is_anything_is_either_used_or_held_with_a_sentence(kind: str, spec: dict[str, Any]):
    raw: Raw = told({**workload(), "kind": kind}, 1)
    raw["spec"] = spec
    if kind == "DockerHost":
        del raw["metadata"]["namespace"]
    found = read_object(raw, ObjectState.of(raw), before=None)
    assert (found.value is None) is bool(found.fault)
    assert found.fault.isprintable()
