"""What somebody finds in Jaeger whose workloads a `tinyforge run` looks after: a real one, asked through its query API (rule D3)."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Start
from tests.e2e.controllers import SOON, Controller, environment_of_a_user, tinyforge
from tests.e2e.index import Index, until
from tests.e2e.manifests import API, Manifests
from tests.e2e.test_http import ask
from tests.e2e.traces import (
    DISPATCH,
    OUTCOME,
    PASS,
    STEPS_OF_A_PASS,
    TERM,
    WORKLOAD,
    Traces,
    children,
    exceptions,
    latest,
    orphans,
    roots,
    traces,
    unresolved,
    with_attributes,
)
from tests.plugins.site import SOURCE, site_packages
from tests.servers.docker_engine import DockerEngine
from tests.servers.jaeger_api import Place, Span

__all__ = ["traces"]

SELDOM = {"TINYFORGE_INTERVAL": "5m", "TINYFORGE_HTTP_ADDRESS": "127.0.0.1:0"}
"""Whoever asks has a pass, and nothing happens because it is time."""
BY_HAND = {"kind": "manual"}
EXTERNAL: dict[str, Any] = {"source": {"kind": "external"}, "trigger": BY_HAND}
DRIFTING: dict[str, Any] = {"source": {"kind": "external", "config": {"roles": {"web": {"replicas": 2}}}}, "trigger": BY_HAND}
RAISES = SOURCE.replace("return Unchanged()", 'raise OSError("no route to the registry")', 1)
SHOP, BLOG, LOST, THEIRS = "default/shop", "default/blog", "default/lost", "default/theirs"
OUTCOMES = {SHOP: "unchanged", BLOG: "failed", LOST: "failed", THEIRS: "failed"}
LAST = "SELECT id, status #>> '{lastDispatch,outcome}' FROM tinyforge.workloads ORDER BY id"
TRACE = "SELECT status #>> '{lastDispatch,traceID}' FROM tinyforge.workloads WHERE id = %s"


@pytest.fixture
def busy(traces: Traces, run: Start, manifests: Manifests, shop: DockerEngine, index: Index, tmp_path: Path) -> Controller:
    """A controller with four workloads, each of which was dispatched: one is as it should be, and three fail in a way of their own."""
    manifests.workload("shop", "stack", **EXTERNAL)
    manifests.workload("blog", "stack", **DRIFTING)
    manifests.workload("lost", "stack", source={"kind": "terraform"}, trigger=BY_HAND)
    manifests.workload("theirs", "stack", source={"kind": "theirs"}, trigger=BY_HAND)
    with site_packages(tmp_path / "site-packages") as site:
        site.source(RAISES)
        path = os.pathsep.join(filter(None, (str(site.folder), os.environ.get("PYTHONPATH"))))
        controller = run(**SELDOM, **traces.settings, PYTHONPATH=path)
        until(lambda: dict(index.sql(LAST)), OUTCOMES)
    return controller


def sync(index: Index) -> dict[str, Any]:
    """Ask for a pass, and return what it found."""
    asked = tinyforge("sync", "--json", environment=environment_of_a_user(TINYFORGE_DATABASE_URL=index.url))
    (found,) = json.loads(asked.stdout)
    return dict(found)


def counted(controller: Controller) -> Counter[str]:
    """How many dispatches it has counted, by outcome."""
    place = controller.says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]
    counts: Counter[str] = Counter()
    for line in ask(f"http://{place}/metrics")[1].splitlines():
        if line.startswith("tinyforge_dispatch_duration_seconds_count{"):
            labels, number = line.rsplit(" ", 1)
            counts[labels.partition('outcome="')[2].partition('"')[0]] += int(float(number))
    return counts


def told(spans: list[Span]) -> Counter[str]:
    """How many dispatches have their root in Jaeger, by outcome."""
    return Counter(str(root.attributes[OUTCOME]) for root in roots(spans, DISPATCH))


def test_d3_every_dispatch_has_exactly_one_root_with_its_outcome(
    busy: Controller, traces: Traces, shop: DockerEngine, index: Index
) -> None:
    shop.client.kill("web")
    assert sync(index)["outcome"] == "changed"
    traces.until(lambda spans: len(with_attributes({WORKLOAD: SHOP}, roots(spans, DISPATCH))) == 2)
    asked = tinyforge("deploy", SHOP, environment=environment_of_a_user(TINYFORGE_DATABASE_URL=index.url))
    assert asked.returncode == 0, asked.stderr
    traces.dispatched(SHOP, outcome="skipped", reason="deploy")
    until(lambda: told(traces.all()), counted(busy))
    spans = traces.all()
    assert told(spans) == {"unchanged": 2, "failed": 3, "skipped": 1}
    for root in roots(spans, DISPATCH):
        assert len(roots(traces.jaeger.trace(root.trace_id))) == 1
    assert {(root.attributes["tinyforge.host"], root.attributes["tinyforge.epoch"]) for root in roots(spans, DISPATCH)} == {("local", 1)}


def test_d3_dispatches_that_failed_are_errors_that_say_why_and_no_others_are(busy: Controller, traces: Traces) -> None:
    spans = traces.until(lambda spans: told(list(spans)).total() == len(OUTCOMES))
    by_workload = {str(root.attributes[WORKLOAD]): root for root in roots(spans, DISPATCH)}
    assert {workload: root.status for workload, root in by_workload.items()} == {
        workload: "error" if outcome == "failed" else "unset" for workload, outcome in OUTCOMES.items()
    }
    assert {workload: root.attributes.get("error.type") for workload, root in by_workload.items()} == {
        SHOP: None,
        BLOG: "Drift",
        LOST: "SourceNotFound",
        THEIRS: "PluginRaised",
    }
    assert by_workload[BLOG].attributes["tinyforge.dispatch.message"] == "role web: 0 of 2 replicas run"
    assert [it for it in exceptions([by_workload[THEIRS]]) if "no route to the registry" in it]
    (call,) = [it for it in spans if it.name == "source.reconcile" and it.trace_id == by_workload[THEIRS].trace_id]
    assert call.status == "error", "the step that failed is one too"


def test_d3_a_retry_that_is_scheduled_is_told_with_its_time(busy: Controller, traces: Traces) -> None:
    root = traces.dispatched(THEIRS, outcome="failed")
    (event,) = [it for it in root.events if it.name == "retry scheduled"]
    assert root.began <= event.at <= root.ended
    assert str(root.attributes["tinyforge.dispatch.retry_at"]).startswith("20")
    assert "tinyforge.dispatch.retry_at" not in traces.dispatched(LOST).attributes, "nothing but another spec helps there"


def test_what_a_dispatch_is_linked_to_can_be_opened(busy: Controller, traces: Traces, shop: DockerEngine, index: Index) -> None:
    before = traces.dispatched(SHOP)
    shop.client.kill("web")
    changed = sync(index)
    after = traces.root(latest_trace(traces, SHOP, besides=before))
    passed = traces.root(changed["traceID"])
    assert set(after.links) == {before.place, passed.place}
    assert (passed.name, passed.attributes["tinyforge.pass.outcome"]) == (PASS, "changed")
    assert unresolved(traces.until(lambda spans: told(list(spans)) == counted(busy))) == []


def latest_trace(traces: Traces, workload: str, *, besides: Span) -> str:
    """Wait for a dispatch of a workload after one that is known, and return its trace."""

    def later(spans: list[Span]) -> list[Span]:
        return [it for it in with_attributes({WORKLOAD: workload}, roots(spans, DISPATCH)) if it.began > besides.ended]

    return latest(later(traces.until(lambda spans: later(list(spans))))).trace_id


def test_a_dispatch_is_linked_to_the_trace_that_its_manifest_names(
    traces: Traces, run: Start, manifests: Manifests, shop: DockerEngine
) -> None:
    theirs = Place(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7")
    written = {"tracing.k8s.io/traceparent": f"00-{theirs.trace_id}-{theirs.span_id}-01"}
    declared = {"apiVersion": API, "kind": "Workload", "metadata": {"name": "shop", "annotations": written}}
    manifests.write("shop.yaml", yaml.safe_dump({**declared, "spec": {"kind": "stack", "host": "local", **EXTERNAL}}))
    run(**SELDOM, **traces.settings)
    root = traces.dispatched(SHOP)
    assert theirs in root.links
    assert root.trace_id != theirs.trace_id, "a link, and never a parent"


def test_every_span_belongs_to_a_pass_a_dispatch_or_a_term_and_the_end_of_the_term_is_told_too(
    busy: Controller, traces: Traces, index: Index
) -> None:
    sync(index)
    busy.signal(signal.SIGTERM)
    assert busy.ends(within=SOON) == 0
    spans = traces.until(lambda spans: len(roots(spans, TERM)) == 2)
    assert orphans(spans) == []
    won, ended = roots(spans, TERM)
    assert (won.attributes["tinyforge.term.phase"], won.attributes["tinyforge.term.outcome"]) == ("campaign", "won")
    assert ended.attributes["tinyforge.term.phase"] == "step_down"
    assert {it.resource["service.instance.id"] for it in spans} == {spans[0].resource["service.instance.id"]}


def test_the_id_in_a_status_and_the_one_that_sync_prints_can_be_opened(busy: Controller, traces: Traces, index: Index) -> None:
    for workload, outcome in OUTCOMES.items():
        ((trace_id,),) = index.sql(TRACE, workload)
        root = traces.root(trace_id)
        assert (root.name, root.attributes[WORKLOAD], root.attributes[OUTCOME]) == (DISPATCH, workload, outcome)
    forced = traces.root(sync(index)["traceID"])
    assert (forced.name, forced.attributes["tinyforge.pass.reason"], forced.attributes["tinyforge.pass.kept"]) == (PASS, "sync", "forced")


def test_once_prints_the_ids_of_its_passes(traces: Traces, manifests: Manifests, shop: DockerEngine, index: Index) -> None:
    environment = environment_of_a_user(TINYFORGE_DATABASE_URL=index.url, **traces.settings)
    ended = tinyforge("run", "-f", manifests.folder, "--once", "--json", environment=environment)
    (found,) = json.loads(ended.stdout)
    root = traces.root(found["traceID"])
    assert (root.name, root.attributes["tinyforge.pass.outcome"], root.attributes["tinyforge.pass.kept"]) == (PASS, "changed", "first")
    assert [it.name for it in children(traces.all(), root)] == ["docker.containers.list", "index.plan", "index.write"]


def test_a_pass_that_found_nothing_new_leaves_no_trace(traces: Traces, run: Start, shop: DockerEngine, index: Index) -> None:
    run(**traces.settings)
    index.becomes({"default/shop:web": "running"})
    index.passes(count=10)
    shop.client.kill("web")
    index.becomes({"default/shop:web": "stopped"})
    spans = traces.until(lambda spans: len(roots(spans, PASS)) == 2)
    assert [it.attributes["tinyforge.pass.kept"] for it in roots(spans, PASS)] == ["first", "changed"]


def test_a_pass_that_failed_is_an_error_and_so_is_the_step_that_failed(
    traces: Traces, run: Start, make_engine: Callable[..., DockerEngine], manifests: Manifests, index: Index
) -> None:
    engine = make_engine()
    manifests.host("local", engine.endpoint)
    run(**SELDOM, **traces.settings)
    index.host_becomes("reachable")
    engine.kill()
    found = sync(index)
    root = traces.root(found["traceID"])
    assert (root.status, root.attributes["error.type"], root.attributes["tinyforge.pass.outcome"]) == ("error", "ConnectFailed", "failed")
    assert exceptions([root])
    steps = children(traces.all(), root)
    assert [(it.name, it.status, it.kind) for it in steps if it.status == "error"] == [("docker.containers.list", "error", "client")]
    assert {it.name for it in steps} <= STEPS_OF_A_PASS


def test_without_a_collector_a_status_names_no_trace(run: Start, manifests: Manifests, shop: DockerEngine, index: Index) -> None:
    manifests.workload("shop", "stack", **EXTERNAL)
    run()
    until(lambda: index.sql(LAST), [(SHOP, "unchanged")])
    assert index.sql(TRACE, SHOP) == [("",)]
