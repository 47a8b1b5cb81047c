"""`tinyforge workloads`."""

from tests.cli.conftest import Tinyforge
from tests.cli.index import HOSTILE, Index


def test_a_workload_is_shown_with_how_many_of_its_containers_run(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.workload("default/shop", project="tinyforge-default_shop")
    index.row("web", container="a" * 64)
    index.row("db", container="b" * 64, state="stopped")
    index.row("worker", container="c" * 64, state="missing")
    (line,) = tinyforge("workloads").stdout.splitlines()[1:]
    assert line.split()[:3] == ["default/shop", "stack", "local"]
    assert "1/3 running, 1 missing" in line
    assert "com.docker.compose.project=tinyforge-default_shop" in line


def test_containers_of_a_silent_host_are_unknown(tinyforge: Tinyforge, index: Index) -> None:
    index.host(state="unreachable", reason="Timeout")
    index.workload("default/shop")
    index.row("web")
    assert "0/1 running, 1 unknown" in tinyforge("workloads").stdout


def test_a_site_is_shown_with_its_ref(tinyforge: Tinyforge, index: Index) -> None:
    index.workload("default/blog", kind="site", ref=HOSTILE)
    shown = tinyforge("workloads").stdout
    assert "tinyforge.static-site=\\x1b[31mred" in shown
    assert "no containers" in shown


READY = {
    "conditions": [{"type": "Ready", "status": "True", "reason": "Running", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    "lastDispatch": {"at": "2026-01-01T00:00:00Z", "outcome": "unchanged", "traceID": "c0ffee"},
}


def test_whether_it_is_ready_is_shown_with_the_reason_and_the_trace_of_its_dispatch(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.workload("default/shop", status=READY)
    index.row("web")
    (line,) = tinyforge("workloads").stdout.splitlines()[1:]
    assert line.split()[3:8] == ["1/1", "running", "True", "Running", "c0ffee"]


def test_a_status_that_its_containers_have_outlived_is_not_shown_as_true(tinyforge: Tinyforge, index: Index) -> None:
    index.host(state="unreachable", reason="Timeout")
    index.workload("default/shop", status=READY)
    index.row("web")
    (line,) = tinyforge("workloads").stdout.splitlines()[1:]
    assert line.split()[6:9] == ["unknown", "Unknown", "Stale"]


def test_a_status_that_somebody_else_wrote_is_not_shown(tinyforge: Tinyforge, index: Index) -> None:
    index.workload("default/shop", status={"conditions": "Ready"})
    assert "True" not in tinyforge("workloads").stdout


def test_json_has_the_facts(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.workload("default/shop")
    index.row("web")
    (fact,) = tinyforge("workloads", "--json").json
    assert (fact["id"], fact["kind"], fact["host"], fact["states"], fact["generation"]) == (
        "default/shop",
        "stack",
        "local",
        ["running"],
        1,
    )


def test_no_workload_says_what_to_do(tinyforge: Tinyforge) -> None:
    ended = tinyforge("workloads")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "tinyforge run -f" in ended.stderr
    assert tinyforge("workloads", "--json").json == []


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("workloads", "shop").exit_code == 2
