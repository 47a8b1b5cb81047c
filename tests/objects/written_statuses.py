"""Statuses of the examples that tests tell of, as both drivers build them and as the API server holds them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.domain.status_facts import DRIFT, counted, facts
from tinyforge.domain.host_status import host_conditions
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.workload_status import WorkloadFacts, count, workload_conditions
from tinyforge.objects.docker_host import DockerHostStatus
from tinyforge.objects.fields import Part
from tinyforge.objects.statuses import docker_host_status, workload_status
from tinyforge.objects.workload import WorkloadStatus

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
RUNS = facts(*counted(web="running", db="running"))
STOPS = facts(*counted(web="running", db="stopped"))
DRIFTS = facts(*counted(web="running", db="running"), dispatch=DRIFT)

COMPLETE = PassReport(
    host="vps1",
    outcome=PassOutcome.CHANGED,
    listed=9,
    matched=7,
    ignored=2,
    written=3,
    missing=1,
    duration_seconds=0.08832,
    engine=EngineIdentity(engine_id="AAAA:BBBB", version="27.3.1", api_version="1.47"),
)
FAILED = PassReport(host="vps1", outcome=PassOutcome.FAILED, reason="Timeout", message="no answer in 20 s")


def of_workload(
    about: WorkloadFacts, *, now: datetime = NOON, previous: WorkloadStatus | None = None, generation: int = 1
) -> WorkloadStatus:
    counts = count(container.state for container in about.containers)
    conditions = workload_conditions(about)
    return workload_status(conditions, counts, dispatch=about.dispatch, generation=generation, now=now, previous=previous)


def of_host(
    report: PassReport | None, *, now: datetime = NOON, previous: DockerHostStatus | None = None, suspended: bool = False
) -> DockerHostStatus:
    conditions = host_conditions(report, suspended=suspended)
    return docker_host_status(conditions, report=report, generation=1, now=now, previous=previous)


def since(status: WorkloadStatus | DockerHostStatus) -> dict[str, datetime]:
    return {condition.type: condition.last_transition_time for condition in status.conditions}


def written(status: Part) -> dict[str, Any]:
    """The status as the API server holds it."""
    document: dict[str, Any] = json.loads(status.model_dump_json(exclude_none=True))
    return document
