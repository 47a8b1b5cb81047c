"""A controller that is asked to end while a plugin of somebody's works: it gives it time, and no more than it was told to."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.controllers import SOON, Controller
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.plugins.held import HELD, HeldSource
from tests.plugins.site import site_packages
from tests.servers.docker_engine import DockerEngine

OUTCOME = "SELECT status #>> '{lastDispatch,outcome}' FROM tinyforge.workloads"


@pytest.fixture
def source(tmp_path: Path, shop: DockerEngine, manifests: Manifests) -> Iterator[HeldSource]:
    """A source that the workload default/shop is dispatched to, and that is held until it is let go."""
    manifests.workload("shop", "stack", source={"kind": "theirs"}, trigger={"kind": "manual"})
    with site_packages(tmp_path / "site-packages") as site:
        yield HeldSource(site)


def asked_to_end(run: Start, source: HeldSource, *, drain: str) -> Controller:
    controller = run(PYTHONPATH=source.path, TINYFORGE_DRAIN=drain, TINYFORGE_INTERVAL="5m")
    controller.says(HELD)
    controller.signal(signal.SIGTERM)
    return controller


def test_a_dispatch_under_way_is_waited_for_and_its_outcome_is_written(run: Start, source: HeldSource, index: Index) -> None:
    controller = asked_to_end(run, source, drain="1h")
    assert controller.says("waits 3600 s at most for workload default/shop")
    assert controller.runs
    source.let_go()
    assert controller.ends(within=SOON) == 0
    assert index.sql(OUTCOME) == [("changed",)]
    assert index.sql("SELECT holder FROM tinyforge.leaders") == [("",)]


def test_one_that_takes_longer_than_it_may_is_cancelled_and_named(run: Start, source: HeldSource, index: Index) -> None:
    controller = asked_to_end(run, source, drain="300ms")
    assert controller.ends(within=SOON) == 0
    assert controller.said("not ended within 0.3 s, and cancelled: workload default/shop") == 1
    assert index.sql(OUTCOME) == [(None,)]


def test_a_second_signal_ends_it_at_once(run: Start, source: HeldSource) -> None:
    controller = asked_to_end(run, source, drain="1h")
    controller.says("waits 3600 s at most")
    controller.signal(signal.SIGTERM)
    assert controller.ends(within=SOON) == 0


def test_whoever_takes_over_meanwhile_is_not_waited_for(run: Start, source: HeldSource) -> None:
    controller = asked_to_end(run, source, drain="1h")
    controller.says("waits 3600 s at most")
    run("--take-over")
    assert controller.ends(within=SOON) == 1
    assert "took over with epoch 2" in controller.messages[-1]
