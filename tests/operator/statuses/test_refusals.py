"""What the API server will not have, or not now, hurts nobody else."""

import asyncio
import logging

import pytest

from tests.index.waiting import until
from tests.operator.statuses.objects import WRITES, condition, message, new_workload, settled, shown, status, writes
from tests.servers.api_proxy import ApiProxy, refuse
from tests.servers.cluster import Cluster as RealCluster
from tests.servers.kubernetes_api import Refused
from tinyforge.operator.status_writer import StatusWriter


async def test_a_refused_status_hurts_nobody_else_and_is_said_once_in_the_servers_words(
    cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy, caplog: pytest.LogCaptureFixture
):
    """The API server is made to refuse by an admission policy, as a CRD does that is older than the program."""
    caplog.set_level(logging.INFO, "tinyforge")
    refused, others = new_workload(cluster, "refused").ref, [new_workload(cluster, f"web-{number}").ref for number in range(5)]
    await policy_in_force(cluster)
    writer.put(refused, status("forbidden words"))
    for number in range(3):
        for ref in others:
            writer.put(ref, status(f"value {number}"))
        await until(lambda: writer.unwritten == 1)
    assert [message(cluster, ref) for ref in others] == ["value 2"] * 5
    lines = [it.getMessage() for it in caplog.records if "refused" in it.getMessage()]
    assert len(lines) == 1
    assert "no forbidden words" in lines[0]
    assert sum("/workloads/refused/" in it for it in api_proxy.requests if it.startswith("PATCH")) == 1
    writer.put(refused, status("better words"))
    await settled(writer, seconds=1)
    assert message(cluster, refused) == "better words"
    assert caplog.records[-1].getMessage() == "Workload default/refused: its status is taken again (failures: 1)"


async def policy_in_force(cluster: RealCluster) -> None:
    """Refuse statuses with certain words in them from now on."""
    rule = {"expression": "!object.status.conditions.exists(c, c.message == 'forbidden words')", "message": "no forbidden words"}
    matched = {"apiGroups": ["tinyforge.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["workloads/status"]}
    kind = "ValidatingAdmissionPolicy"
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "words"}}
    cluster.apply({**head, "kind": kind, "spec": {"matchConstraints": {"resourceRules": [matched]}, "validations": [rule]}})
    cluster.apply({**head, "kind": f"{kind}Binding", "spec": {"policyName": "words", "validationActions": ["Deny"]}})
    trial = new_workload(cluster, "trial").ref
    for number in range(100):
        try:
            change = {"status": {"conditions": [condition(message="forbidden words", reason=f"Trial{number}")]}}
            cluster.patch("Workload", trial.name, change, subresource="status")
        except Refused:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the policy has no effect")


async def test_what_the_server_cannot_do_for_one_object_delays_no_other(
    cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy
):
    api_proxy.spoil("PATCH .*/workloads/broken/", refuse(500, message="field not declared in schema"))
    broken, others = new_workload(cluster, "broken").ref, [new_workload(cluster, f"web-{number}").ref for number in range(9)]
    for ref in (broken, *others):
        writer.put(ref, status())
    await until(lambda: writer.unwritten == 1)
    assert [message(cluster, ref) for ref in others] == ["all run"] * 9
    api_proxy.heal()
    await settled(writer)
    assert message(cluster, broken) == "all run"


async def test_a_missing_permission_is_said_once_for_all(
    cluster: RealCluster, writer: StatusWriter, watched: None, caplog: pytest.LogCaptureFixture
):
    cluster.patch("ClusterRole", "controller", {"rules": []})
    await asyncio.sleep(0.5)  # the server looks at its rules every now and then
    for number in range(5):
        writer.put(new_workload(cluster, f"web-{number}").ref, status())
    await until(lambda: any("is refused" in it.getMessage() for it in caplog.records))
    await asyncio.sleep(0.3)
    (line,) = [it.getMessage() for it in caplog.records if "is refused" in it.getMessage()]
    assert 'cannot patch resource "workloads/status"' in line


async def test_fault_30_a_server_that_asks_to_be_left_alone_is_left_alone(
    cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy
):
    refs = [new_workload(cluster, f"web-{number}").ref for number in range(20)]
    api_proxy.spoil(WRITES, refuse(429, retry_after=2), times=1)
    first = api_proxy.next_request(WRITES)
    writer.put(refs[0], status())
    await asyncio.wrap_future(first)
    await until(lambda: bool(writer._pause.until))
    again = api_proxy.next_request(WRITES)
    for ref in refs:
        writer.put(ref, status())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.wrap_future(again), 1.7)
    await settled(writer)
    assert [message(cluster, ref) for ref in refs] == ["all run"] * 20
    assert writes(api_proxy) == 21


async def test_a_field_of_ours_that_no_schema_takes_is_said_and_the_rest_is_written(
    cluster: RealCluster, writer: StatusWriter, watched: None, caplog: pytest.LogCaptureFixture
):
    web = new_workload(cluster).ref
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        writer.put(web, status(invented=1))
    await settled(writer)
    assert shown(cluster, web) == status()
    assert [it.getMessage() for it in caplog.records] == [
        "Workload default/web: its status is written without invented, which its schema does not take"
    ]
