"""kopf runs beside us until it is told to stop, and again when it ends by itself."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import kopf
import pytest
from aiohttp import web

from tests.e2e.index import until
from tests.operator.conftest import Start
from tests.operator.definitions import deleted
from tests.operator.looking import held, host, host_becomes, stack, workload_becomes
from tests.operator.running import OFTEN, SECONDS, account
from tests.servers.api_proxy import ApiProxy, Forward, hang, refuse
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tinyforge.cluster import Access
from tinyforge.cluster.kubeconfig import read_kubeconfig
from tinyforge.operator import kopf_thread
from tinyforge.operator.handlers import HOSTS, WORKLOADS
from tinyforge.operator.kopf_logs import is_news
from tinyforge.operator.kopf_settings import kopf_settings
from tinyforge.operator.kopf_thread import KopfThread
from tinyforge.operator.login import login_with


class Watching:
    """What makes handlers that take note of workloads, but for the first `broken` times."""

    def __init__(self, kubeconfig: Path, *, broken: int = 0) -> None:
        self._access = Access(config=read_kubeconfig(str(kubeconfig)), namespace="default", found_by="the test")
        self._broken = broken
        self.made = 0
        self.seen = threading.Event()

    def registry(self) -> kopf.OperatorRegistry:
        self.made += 1
        if self.made <= self._broken:
            raise RuntimeError("no handlers today")
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry, id="login")(login_with(lambda: self._access))
        kopf.on.event(*WORKLOADS, registry=registry, id="event")(self._note)
        kopf.on.event(*HOSTS, registry=registry, id="event")(ignore)
        return registry

    async def _note(self, **_: Any) -> None:
        self.seen.set()


async def ignore(**_: Any) -> None: ...


@contextmanager
def running(watching: Watching, *, look_again: Callable[[], Any]) -> Iterator[KopfThread]:
    """kopf, stopped at the end."""
    thread = KopfThread(registry=watching.registry, namespaces=(), look_again=look_again)
    thread.start()
    try:
        yield thread
    finally:
        asyncio.run(thread.stop())


@pytest.fixture
def kubeconfig(cluster: Cluster) -> Path:
    return account(cluster)


async def nothing() -> None: ...


def test_it_is_started_again_when_it_ends_by_itself_after_a_new_look(
    kubeconfig: Path, cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kopf_thread, "_FIRST_PAUSE", 0.01)
    looks: list[int] = []

    async def look_again() -> None:
        looks.append(watching.made)

    watching = Watching(kubeconfig, broken=2)
    cluster.apply(stack())
    with running(watching, look_again=look_again) as thread:
        assert watching.seen.wait(SECONDS)
    assert (thread.restarts, looks) == (2, [1, 2])
    assert sum("kopf ended (RuntimeError: no handlers today) and is started again" in it for it in caplog.messages) == 1, (
        "the same is said once"
    )


def test_it_is_started_again_though_one_watch_hangs_while_another_one_ends_it(kubeconfig: Path, cluster: Cluster, api_proxy: ApiProxy):
    workloads_asked = api_proxy.next_request("GET .*/workloads.*watch=true")

    async def gone_once_workloads_are_asked(request: web.Request, forward: Forward) -> web.StreamResponse:
        await asyncio.wrap_future(workloads_asked)
        return await refuse(404)(request, forward)

    api_proxy.spoil("GET .*/workloads.*watch=true", hang(), times=1)
    api_proxy.spoil("GET .*/dockerhosts.*watch=true", gone_once_workloads_are_asked, times=1)
    cluster.apply(stack())
    watching = Watching(api_proxy.kubeconfig(of=kubeconfig))
    with running(watching, look_again=nothing) as thread:
        until(lambda: thread.restarts, 1)
        watching.seen.clear()
        assert watching.seen.wait(SECONDS)


def test_it_stops_while_it_pauses_and_before_it_was_started(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kopf_thread, "_FIRST_PAUSE", 3600.0)
    with running(Watching(kubeconfig, broken=1), look_again=nothing) as thread:
        until(lambda: thread.restarts, 1)
    asyncio.run(KopfThread(registry=kopf.OperatorRegistry, namespaces=(), look_again=nothing).stop())


def test_it_ends_within_2_s_though_the_api_server_does_not_answer(kubeconfig: Path, api_proxy: ApiProxy, caplog: pytest.LogCaptureFixture):
    api_proxy.spoil("GET ", hang())
    asked = api_proxy.next_request("GET /apis")
    with running(Watching(api_proxy.kubeconfig(of=kubeconfig)), look_again=nothing) as thread:
        asked.result(SECONDS)
        began = time.monotonic()
    assert time.monotonic() - began < 4.0, "by itself kopf waits 5 s"
    assert not thread._thread.is_alive()
    assert "kopf does not end and is left behind" not in caplog.messages


def test_what_does_not_even_end_when_it_is_cancelled_is_left_behind_and_said(
    kubeconfig: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kopf_thread, "_FIRST_PAUSE", 0.01)
    goes_on, may_end = threading.Event(), threading.Event()

    async def go_on() -> None:
        goes_on.set()
        while not may_end.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    with running(Watching(kubeconfig, broken=1), look_again=go_on) as thread:
        assert goes_on.wait(SECONDS)
    assert "kopf does not end and is left behind" in caplog.messages
    may_end.set()
    thread._thread.join(SECONDS)
    assert not thread._thread.is_alive()


def test_definitions_that_are_deleted_take_their_objects_with_them_and_are_served_again_once_they_are_back(
    start: Start, cluster: Cluster, docker_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kopf_thread, "kopf_settings", impatient_settings)
    operator = start(interval=OFTEN)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack())
    workload_becomes(cluster, "False", "NoContainers")
    with deleted(cluster):
        until(lambda: operator.metric("tinyforge_kopf_restarts_total") > 0, True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack())
    host_becomes(cluster, "True", "PassComplete")
    workload_becomes(cluster, "False", "NoContainers")
    held(cluster, "Workload", "shop")
    cluster.delete("Workload", "shop")
    cluster.wait_until_gone("Workload", "shop")
    assert operator.error is None


def impatient_settings() -> kopf.OperatorSettings:
    """Ours, but that a watch which says nothing is asked anew ten times as soon: until then it does not hear that it is for nothing."""
    settings = kopf_settings()
    settings.watching.inactivity_timeout = 1.0
    return settings


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Request attempt #1 failed; will retry: GET /x -> TimeoutError()", True),
        ("Request attempt #2 failed; will retry: GET /x -> TimeoutError()", False),
        ("Request attempt #13/20 failed; will retry: GET /x -> TimeoutError()", False),
        ("Request attempt #13 failed; escalating: GET /x -> TimeoutError()", True),
        ("Handler 'event' failed with an exception", True),
    ],
)
def test_of_many_attempts_of_one_request_the_first_is_said(message: str, said: bool):
    assert is_news(logging.makeLogRecord({"msg": message})) is said
