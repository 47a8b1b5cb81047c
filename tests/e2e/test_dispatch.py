"""Workloads with a source and a trigger, in a folder: `workloads.status` is their status, true soon after whatever happens (rule D1)."""

import json
from collections.abc import Callable
from typing import Any

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.controllers import environment_of_a_user, tinyforge
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine

BY_HAND = {"kind": "manual"}
SHOP, BLOG, LOST = "default/shop", "default/blog", "default/lost"


def test_d1_d2_a_status_says_soon_what_stopped_what_drifted_and_which_source_there_is_not(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    external(manifests, "shop", roles={"web": {"replicas": 1, "image": "busybox"}})
    external(manifests, "blog")
    manifests.workload("lost", "stack", source={"kind": "terraform"}, trigger=BY_HAND)
    shop.create("blog", belonging_to("blog", "web"), start=True)
    run()
    until(lambda: ready(index), {SHOP: "True Running", BLOG: "True Running", LOST: "False SourceNotFound"})
    assert last_dispatch(index, SHOP) == ("unchanged", "")
    shop.client.kill("web")
    shop.client.kill("blog")
    until(lambda: ready(index), {SHOP: "False Drift", BLOG: "False NotRunning", LOST: "False SourceNotFound"})
    assert condition(index, SHOP)["message"] == "role web: 0 of 1 replicas run"
    assert last_dispatch(index, SHOP) == ("failed", "Drift")
    shop.client.start("web")
    shop.client.start("blog")
    until(lambda: ready(index), {SHOP: "True Running", BLOG: "True Running", LOST: "False SourceNotFound"})
    assert 'no source "terraform" is installed; installed are: ' in condition(index, LOST)["message"]


def test_a_deployment_of_what_somebody_else_runs_is_answered_with_that_and_changes_nothing(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    external(manifests, "shop")
    run()
    until(lambda: ready(index), {SHOP: "True Running"})
    before = index.sql("SELECT status FROM tinyforge.workloads")
    asked = tinyforge("deploy", SHOP, "--json", environment=environment_of_a_user(TINYFORGE_DATABASE_URL=index.url))
    answer = json.loads(asked.stdout)
    assert (asked.returncode, answer["outcome"], answer["reason"]) == (0, "skipped", "ExternallyManaged")
    assert index.sql("SELECT status FROM tinyforge.workloads") == before
    assert index.sql("SELECT count(*) FROM tinyforge.sync_requests WHERE done_at IS NOT NULL") == [(1,)]


def test_t1_a_workload_whose_engine_hangs_is_unknown_and_says_since_when_and_the_others_go_on(
    shop: DockerEngine, make_engine: Callable[..., DockerEngine], manifests: Manifests, run: Start, index: Index
) -> None:
    frozen = make_engine()
    manifests.host("frozen", frozen.endpoint)
    external(manifests, "shop")
    external(manifests, "blog", host="frozen")
    frozen.create("web", belonging_to("blog", "web"), start=True)
    run(TINYFORGE_DOCKER_LIST_TIMEOUT="1s")
    until(lambda: ready(index), {SHOP: "True Running", BLOG: "True Running"})
    frozen.pause()
    until(lambda: ready(index)[BLOG], "Unknown HostUnreachable")
    ((as_of,),) = index.sql(
        "SELECT to_char(last_complete_pass_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM tinyforge.hosts WHERE name = 'frozen'"
    )
    said = condition(index, BLOG)["message"]
    assert said == f'host "frozen" does not answer (last complete pass: {as_of} UTC): no whole answer within 1 s'
    shop.client.kill("web")
    until(lambda: ready(index)[SHOP], "False NotRunning")
    frozen.resume()
    until(lambda: ready(index)[BLOG], "True Running")


def test_run_once_leaves_every_status_too(shop: DockerEngine, manifests: Manifests, index: Index) -> None:
    external(manifests, "shop", roles={"web": {"replicas": 2}})
    external(manifests, "blog")
    ended = tinyforge("run", "-f", manifests.folder, "--once", environment=environment_of_a_user(TINYFORGE_DATABASE_URL=index.url))
    assert ended.returncode == 0, ended.stderr
    assert ready(index) == {SHOP: "False Drift", BLOG: "False NoContainers"}


def external(manifests: Manifests, name: str, *, host: str = "local", **config: Any) -> None:
    """Declare a stack whose containers somebody else runs."""
    manifests.workload(name, "stack", host=host, source={"kind": "external", "config": config}, trigger=BY_HAND)


def ready(index: Index) -> dict[str, str]:
    """Each workload's condition Ready, with the reason."""
    rows = index.sql("SELECT id, status FROM tinyforge.workloads ORDER BY id")
    return {id_: f"{it['status']} {it['reason']}" for id_, status in rows for it in status.get("conditions", ()) if it["type"] == "Ready"}


def condition(index: Index, workload: str) -> dict[str, Any]:
    """A workload's condition Ready as it is stored."""
    ((found,),) = index.sql("SELECT status -> 'conditions' -> 0 FROM tinyforge.workloads WHERE id = %s", workload)
    assert found["type"] == "Ready"
    return dict(found)


def last_dispatch(index: Index, workload: str) -> tuple[str, str]:
    ((found,),) = index.sql("SELECT status -> 'lastDispatch' FROM tinyforge.workloads WHERE id = %s", workload)
    return found["outcome"], found["reason"]
