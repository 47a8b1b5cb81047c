"""The algorithm that a pass is measured against: a lookup and an upsert a container, as a reference program has it.

It does what a pass does, and comes to the same rows. For each container, a SELECT finds the workload that its labels name, and an
INSERT … ON CONFLICT writes its row, changed or not, since it says in it when the container was last seen. In the end one UPDATE turns
missing what was not seen. It is synchronous psycopg, which prepares a statement at its sixth use. All of it is *one* transaction: a
commit a container, as usual as that is, takes longer by the time in which a disk confirms each, so of the two ratios this is the
smaller one.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from tinyforge.domain.containers import Container
from tinyforge.domain.index_plan import docker_state

LOOKUP = "SELECT id, kind FROM tinyforge.workloads WHERE host = %s AND compose_project = %s"
UPSERT = """
INSERT INTO tinyforge.containers (id, workload_id, workload_kind, role, container_id, image_ref, host, state, port, last_seen_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now())
ON CONFLICT (id) DO UPDATE SET
    workload_id = excluded.workload_id, workload_kind = excluded.workload_kind, role = excluded.role, container_id = excluded.container_id,
    image_ref = excluded.image_ref, host = excluded.host, state = excluded.state, state_reason = '', port = excluded.port,
    last_seen_at = excluded.last_seen_at, missing_since = NULL
"""
SWEEP = """
UPDATE tinyforge.containers SET state = 'missing', state_reason = 'ContainerGone', missing_since = now()
WHERE host = %s AND container_id <> '' AND state <> 'missing' AND NOT container_id = ANY(%s)
"""


def row_by_row(connection: psycopg.Connection[Any], host: str, containers: Sequence[Container]) -> None:
    """Bring the rows of a host in line with a list."""
    with connection.transaction(), connection.cursor() as cursor:
        for container in containers:
            write(cursor, host, container)
        cursor.execute(SWEEP, (host, [container.id for container in containers]))


def write(cursor: psycopg.Cursor[Any], host: str, container: Container) -> None:
    assert container.labels, "every container of the benchmark has labels"
    found = cursor.execute(LOOKUP, (host, container.labels.compose_project)).fetchone()
    assert found, "every container of the benchmark has a workload"
    workload, kind = found
    role = container.labels.compose_service
    state, port = docker_state(container.state), container.lowest_port
    cursor.execute(UPSERT, (f"{workload}:{role}", workload, kind, role, container.id, container.image, host, state, port))
