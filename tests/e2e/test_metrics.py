"""The metrics of a running `tinyforge run`: those that docs/metrics.md tells of, all that alerts and dashboard ask for, and exemplars."""

import json
import re
from pathlib import Path

import pytest

from tests.alerts.rules import metrics_asked_for
from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.e2e.metrics_page import shown, told
from tests.e2e.scraping import place_of, samples, scrape, value
from tests.servers.docker_engine import DockerEngine

OF_A_CLUSTER = {"tinyforge_unwritten_statuses", "tinyforge_kopf_restarts_total"}
NOBODY_LISTENS = "http://127.0.0.1:9"
HOSTILE = 'a"} 1\n# EOF {x="'


@pytest.fixture
def place(run: Start, manifests: Manifests, shop: DockerEngine, index: Index, tmp_path: Path) -> str:
    """The address of a leader that has seen a host, misses another one, has dispatched a workload, and sends its traces to nobody."""
    manifests.host("away", f"unix://{tmp_path}/nobody.sock")
    manifests.workload("shop", "stack", source={"kind": "external"}, trigger={"kind": "manual"})
    controller = run(TINYFORGE_HTTP_ADDRESS="127.0.0.1:0", OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY_LISTENS)
    until(lambda: index.sql("SELECT status #>> '{conditions,0,reason}' FROM tinyforge.workloads"), [("Running",)])
    until(lambda: index.sql("SELECT state FROM tinyforge.hosts ORDER BY name"), [("unreachable",), ("reachable",)])
    return place_of(controller)


def test_there_are_the_metrics_that_the_page_tells_of_with_those_types_and_labels_and_no_others(place: str) -> None:
    assert shown(scrape(place)) == told(driver="run", traced=True)


def test_all_that_alerts_and_dashboard_ask_for_is_there(place: str) -> None:
    assert metrics_asked_for() - OF_A_CLUSTER <= {sample.name for sample in samples(scrape(place))}


def test_the_numbers_are_those_of_the_index(place: str) -> None:
    families = scrape(place)
    assert value(families, "tinyforge_host_state", host="local", state="reachable") == 1
    assert value(families, "tinyforge_host_state", host="away", state="unreachable") == 1
    assert value(families, "tinyforge_workloads", ready="true") == 1
    assert value(families, "tinyforge_workloads", ready="false") == 0
    assert value(families, "tinyforge_failing_workloads") == 0
    assert value(families, "tinyforge_stale_after_seconds") == 120
    assert (value(families, "tinyforge_pass_failures_total", host="away", reason="ConnectFailed") or 0) > 0


def test_rows_that_the_first_pass_writes_are_not_found_by_the_timer(run: Start, shop: DockerEngine, index: Index) -> None:
    controller = run(TINYFORGE_HTTP_ADDRESS="127.0.0.1:0", TINYFORGE_INTERVAL="5m")
    until(lambda: index.sql("SELECT state FROM tinyforge.containers"), [("running",)])
    families = scrape(place_of(controller))
    assert value(families, "tinyforge_pass_containers", host="local", result="written") == 1
    assert value(families, "tinyforge_changes_found_total", by="timer") == 0


def test_a_container_that_comes_unannounced_is_found_by_the_timer(place: str, shop: DockerEngine, index: Index) -> None:
    before = value(scrape(place), "tinyforge_changes_found_total", by="timer")
    shop.create("db", belonging_to("shop", "db"), start=True)
    until(lambda: index.sql("SELECT state FROM tinyforge.containers WHERE role = 'db'"), [("running",)])
    until(lambda: (value(scrape(place), "tinyforge_changes_found_total", by="timer") or 0) > (before or 0), True)


def test_a_process_that_waits_for_postgresql_does_not_lead_and_says_so(start: Start, manifests: Manifests) -> None:
    controller = start("-f", manifests.folder, TINYFORGE_DATABASE_URL="postgresql://127.0.0.1:9/x", TINYFORGE_HTTP_ADDRESS="127.0.0.1:0")
    assert value(scrape(place_of(controller)), "tinyforge_leader") == 0


def test_hostile_names_of_workloads_sources_and_images_are_in_no_metric(
    run: Start, manifests: Manifests, shop: DockerEngine, index: Index
) -> None:
    for number in range(5):
        manifests.workload(f"hostile-{number}", "site", source={"kind": f"x{number}", "config": {"a": HOSTILE}}, trigger={"kind": "manual"})
    shop.create("odd", {"tinyforge.workload.id": HOSTILE, "tinyforge.role": HOSTILE}, start=True)
    controller = run(TINYFORGE_HTTP_ADDRESS="127.0.0.1:0")
    until(lambda: index.sql("SELECT count(*) FROM tinyforge.workloads WHERE status #> '{lastDispatch,at}' IS NOT NULL"), [(5,)])
    families = scrape(place_of(controller))
    assert {sample.labels["source"] for sample in samples(families) if "source" in sample.labels} == {"other"}
    told = json.dumps([[sample.name, sample.labels] for sample in samples(families)])
    assert not re.search(r"hostile|x[0-9]|EOF|odd", told)
    assert value(families, "tinyforge_failing_workloads") == 5
