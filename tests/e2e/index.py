"""The index as somebody sees it who has psql: looked at until it is as it should be."""

import time
from collections.abc import Callable, Mapping
from typing import Any, LiteralString

import psycopg
from psycopg.sql import SQL, Identifier

from tests.e2e.controllers import DEADLINE
from tests.servers.postgres import Postgres

LOOK_SECONDS = 0.05

_HISTORY = """
CREATE TABLE public.history (number bigserial, what text, id text, state text, container_id text, session text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO public.history (what, id, state, container_id, session) VALUES (
        TG_TABLE_NAME || ' ' || lower(TG_OP), coalesce(row ->> 'id', row ->> 'name'), coalesce(row ->> 'state', row ->> 'epoch'),
        row ->> 'container_id', current_setting('application_name')
    );
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON tinyforge.containers FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON tinyforge.hosts FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON tinyforge.workloads FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER note AFTER UPDATE ON tinyforge.leaders FOR EACH ROW EXECUTE FUNCTION public.note();
"""


class Index:
    """One database of a server."""

    def __init__(self, server: Postgres, url: str) -> None:
        self._server = server
        self.url = url

    def sql(self, statement: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        return self._server.sql(statement, *parameters, url=self.url)

    def answers(self) -> bool:
        """Whether the database can be asked."""
        try:
            self.sql("SELECT")
        except psycopg.OperationalError:
            return False
        return True

    def states(self) -> dict[str, str]:
        """Every row's effective state by its id, with the reason if there is one: `running`, `missing (ContainerGone)`."""
        rows = self.sql("SELECT id, effective_state, reason FROM tinyforge.container_status ORDER BY id")
        return {id_: f"{state} ({reason})" if reason else state for id_, state, reason in rows}

    def host(self, name: str = "local") -> str:
        """A host's state, with the reason if there is one: `unreachable (Timeout)`; empty if it never was declared."""
        rows = self.sql("SELECT state, state_reason FROM tinyforge.hosts WHERE name = %s", name)
        return "".join(f"{state} ({reason})" if reason else state for state, reason in rows)

    def containers(self) -> dict[str, str]:
        """Every row's container by the row's id."""
        return dict(self.sql("SELECT id, container_id FROM tinyforge.containers ORDER BY id"))

    def becomes(self, states: Mapping[str, str]) -> None:
        """Wait until the rows are exactly these, with these states."""
        until(self.states, states)

    def host_becomes(self, state: str, name: str = "local") -> None:
        """Wait until a host is in a state."""
        until(lambda: self.host(name), state)

    def passes(self, host: str = "local", *, count: int = 2) -> None:
        """Wait until so many passes of a host have ended since now; the last of two began after now."""
        for _ in range(count):
            self._pass_after(self._last_pass(host), host)

    def _pass_after(self, before: object, host: str) -> None:
        until(lambda: self._last_pass(host) != before, True)

    def _last_pass(self, host: str) -> object:
        return self.sql("SELECT last_pass_at FROM tinyforge.hosts WHERE name = %s", host)

    def record(self) -> None:
        """Keep a history from now on of everything that is written, by whatever session."""
        self.sql(_HISTORY)

    def history(self, what: str = "containers %") -> list[tuple[str, str, str, str]]:
        """What has been written since `record`, in its order: id, state and container of each row, and the session that wrote it."""
        rows = self.sql("SELECT id, state, coalesce(container_id, ''), session FROM history WHERE what LIKE %s ORDER BY number", what)
        return [(id_, state, container, session) for id_, state, container, session in rows]

    def everything(self) -> dict[str, list[str]]:
        """The content of every table of the schema."""
        with psycopg.connect(self.url) as connection:
            tables = connection.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'tinyforge' ORDER BY 1").fetchall()
            look = SQL("SELECT to_jsonb(row)::text FROM tinyforge.{} AS row ORDER BY 1")
            return {name: [text for (text,) in connection.execute(look.format(Identifier(name)))] for (name,) in tables}


def until(look: Callable[[], Any], wanted: Any) -> None:
    """Look until what is seen is what is wanted."""
    deadline = time.monotonic() + DEADLINE
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"wanted: {wanted}\nseen:   {seen}"
        time.sleep(LOOK_SECONDS)
