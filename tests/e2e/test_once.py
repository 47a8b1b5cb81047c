"""`tinyforge run --once`: one pass of every host, for cron."""

import json
from typing import Any

from tests.e2e.conftest import Start
from tests.e2e.controllers import environment_of_a_user, tinyforge
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests, document
from tests.servers.docker_engine import DockerEngine

KEYS = ["host", "outcome", "reason", "message", "listed", "matched", "ignored", "written", "missing", "durationSeconds", "traceID"]
MISTAKES = {
    "no such field": (
        document("Workload", "x", {"kind": "site", "host": "local", "hots": "a"}),
        "spec.hots: no such field; did you mean host?",
    ),
    "a project that another has": (
        document("Workload", "x", {"kind": "stack", "host": "local", "composeProject": "tinyforge-default_shop"}),
        'belongs to another workload; give "default/x" another one; it is held by "default/shop"',
    ),
}


def test_each_host_is_passed_over_once_and_the_passes_are_printed_as_one_document(
    shop: DockerEngine, manifests: Manifests, index: Index
) -> None:
    shop.create("nobody")
    manifests.host("away", "unix:///nowhere/docker.sock")
    code, passes, said = once(manifests, index)
    assert code == 1, "a host failed"
    assert [list(each) for each in passes] == [KEYS, KEYS]
    by_host = {each["host"]: each for each in passes}
    assert {key: by_host["away"][key] for key in KEYS[1:3]} == {"outcome": "failed", "reason": "ConnectFailed"}
    counts = {"outcome": "changed", "reason": "", "message": "", "listed": 2, "matched": 1, "ignored": 1, "written": 1, "missing": 0}
    assert {key: by_host["local"][key] for key in counts} == counts
    assert "no pass of away" in said
    manifests.remove("host-away.yaml")
    shop.client.remove_container("web", force=True)
    code, passes, _ = once(manifests, index)
    assert code == 0
    (local,) = passes
    assert {key: local[key] for key in counts} == counts | {"listed": 1, "matched": 0, "missing": 1}
    assert index.states() == {"default/shop:web": "missing (ContainerGone)"}
    assert index.sql("SELECT epoch, holder FROM tinyforge.leaders") == [(2, "")]


def test_p10_with_a_mistake_in_a_manifest_nothing_is_written_and_who_leads_goes_on_leading(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    first = run(TINYFORGE_INTERVAL="5m")
    index.becomes({"default/shop:web": "running"})
    until(lambda: index.sql("SELECT status ? 'conditions' FROM tinyforge.workloads"), [(True,)])
    shop.client.kill("web")
    before = index.everything()
    for text, complaint in MISTAKES.values():
        manifests.write("mistake.yaml", text)
        code, passes, said = once(manifests, index)
        assert (code, passes) == (1, None), said
        assert complaint in said
    assert index.everything() == before
    assert first.runs


def once(manifests: Manifests, index: Index) -> tuple[int, Any, str]:
    """Run it, and return the exit code, the document that it printed, if any, and what else it said."""
    ended = tinyforge(
        "run", "-f", manifests.folder, "--once", "--json", environment=environment_of_a_user(TINYFORGE_DATABASE_URL=index.url)
    )
    return ended.returncode, json.loads(ended.stdout or "null"), ended.stderr
