"""A test's database, filled by SQL where no pass is what the test is about."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb

from tests.servers.postgres import Postgres

DEADLINE = 20.0
HOSTILE = "\x1b[31mred\x1b]0;title\x07\u202e\x9b[bold]x[/bold]:smile:"
"""What nobody's terminal should take for anything but text."""


_HOST = """
INSERT INTO tinyforge.hosts (
    name, endpoint, state, state_reason, state_message, last_pass_at, last_complete_pass_at, engine_id, engine_version, listed, matched
) VALUES (%s, 'unix:///nowhere.sock', %s, %s, %s, now(), now() - make_interval(secs => %s), 'ENGINE', '20.10', 7, 3)
"""
_ROW = """
INSERT INTO tinyforge.containers (
    id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, last_seen_at, missing_since, stage_id
) VALUES (
    %s, %s, 'stack', %s, %s, %s, %s, %s, %s, 80, now() - interval '11 minutes', now() - %s::interval, %s
)
"""


class Index:
    """Rows of the index, written as an acting controller would leave them."""

    def __init__(self, server: Postgres, url: str) -> None:
        self._server = server
        self.url = url

    def sql(self, statement: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement."""
        return self._server.sql(statement, *parameters, url=self.url)

    @contextmanager
    def session(self, name: str) -> Iterator[None]:
        """A session of that name, for the length of a block."""
        with psycopg.connect(self.url, application_name=name):
            yield

    def wait_until(self, condition: LiteralString) -> None:
        """Wait until a query says true."""
        deadline = time.monotonic() + DEADLINE
        while self.sql(condition) != [(True,)]:
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def host(self, name: str = "local", *, state: str = "reachable", reason: str = "", message: str = "", seconds_ago: int = 90) -> None:
        """Put a host in, whose last complete pass was some seconds ago."""
        self.sql(_HOST, name, state, reason, message, seconds_ago)

    def workload(
        self, id_: str = "default/shop", *, kind: str = "stack", host: str = "local", project: str = "", ref: str = "", status: Any = None
    ) -> None:
        """Put a workload in."""
        columns = (id_, kind, host, project, ref, Jsonb(status or {}))
        self.sql("INSERT INTO tinyforge.workloads (id, kind, host, compose_project, ref, status) VALUES (%s, %s, %s, %s, %s, %s)", *columns)

    def row(
        self,
        role: str = "web",
        *,
        workload: str = "default/shop",
        host: str = "local",
        state: str = "running",
        container: str = "c" * 64,
        image: str = "nginx:1",
        stage: str = "",
    ) -> None:
        """Put a row in; a missing one has been so for ten minutes."""
        reason, missing_for = ("ContainerGone", "10 minutes") if state == "missing" else ("", None)
        self.sql(_ROW, f"{workload}:{role}", workload, role, container, image, host, state, reason, missing_for, stage)
