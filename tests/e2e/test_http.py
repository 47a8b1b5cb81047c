"""The HTTP port of a running controller: off unless somebody turns it on, and true."""

import urllib.error
import urllib.request

from tests.e2e.conftest import Start
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine


def ask(url: str) -> tuple[int, str]:
    """Get a page; its status and text."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of our own
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_controller_says_that_it_is_well_and_what_its_passes_and_dispatches_found(
    run: Start, manifests: Manifests, shop: DockerEngine, index: Index
) -> None:
    manifests.workload("shop", "stack", source={"kind": "external"}, trigger={"kind": "manual"})
    controller = run(TINYFORGE_HTTP_ADDRESS="127.0.0.1:0")
    url = f"http://{controller.says('/healthz, /readyz and /metrics are on').rpartition(' ')[2]}"
    until(lambda: index.sql("SELECT status #>> '{conditions,0,reason}' FROM tinyforge.workloads"), [("Running",)])
    for path in ("healthz", "readyz"):
        status, body = ask(f"{url}/{path}")
        assert (status, body.splitlines()[0]) == (200, "ok")
        assert body.splitlines()[1].startswith("leads with epoch 1 since 20")
    _, metrics = ask(f"{url}/metrics")
    lines = metrics.splitlines()
    assert 'tinyforge_pass_containers{host="local",result="matched"} 1.0' in lines
    assert 'tinyforge_silent_timers{kind="workload"} 0.0' in lines
    assert {"tinyforge_leader 1.0", "tinyforge_epoch 1.0", "tinyforge_observe_only 0.0", "tinyforge_fenced_writes_total 0.0"} <= set(lines)
    assert any(line.startswith('tinyforge_dispatch_duration_seconds_count{outcome="unchanged",source="external"}') for line in lines)


def test_without_an_address_nothing_is_served(run: Start, shop: DockerEngine) -> None:
    assert run().said("/healthz") == 0


def test_a_port_that_is_taken_is_named_with_its_setting(run: Start, start: Start, manifests: Manifests) -> None:
    place = run(TINYFORGE_HTTP_ADDRESS="127.0.0.1:0").says("/healthz").rpartition(" ")[2]
    second = start("-f", manifests.folder, TINYFORGE_HTTP_ADDRESS=place)
    assert second.ends() == 1
    assert "TINYFORGE_HTTP_ADDRESS" in second.says(place)
