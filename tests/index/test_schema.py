"""What others build on: the tables as they were promised, a row that a deployer can make from what it knows, and one row a container."""

import psycopg
import pytest

from tests.index.conftest import Sql
from tests.index.examples import DEPLOYER_COLUMNS

CONTAINERS = [
    ("id", "text"),
    ("workload_id", "text"),
    ("workload_kind", "text"),
    ("role", "text"),
    ("container_id", "text"),
    ("image_ref", "text"),
    ("host", "text"),
    ("state", "text"),
    ("state_reason", "text"),
    ("port", "integer"),
    ("last_seen_at", "timestamp with time zone"),
    ("missing_since", "timestamp with time zone"),
    *((column, "text") for column in DEPLOYER_COLUMNS),
]
CONTAINER_STATUS = [*CONTAINERS, ("effective_state", "text"), ("reason", "text"), ("as_of", "timestamp with time zone")]
OTHERS = {
    "hosts": "name endpoint engine_id state state_reason last_pass_at last_complete_pass_at stale_after removed_at",
    "workloads": "id kind ref host compose_project group_id parent_id source_kind source_config trigger_kind trigger_config public_faces"
    " status generation created_at updated_at",
    "sync_requests": "id kind host argument requested_at requested_by done_at outcome",
    "installation": "id",
    "leaders": "name epoch holder session driver lease claimed_at",
    "schema": "version min_program",
}
INSERT = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES (%s, 'default/app', 'project', 'local')"


@pytest.mark.parametrize(("relation", "promised"), [("containers", CONTAINERS), ("container_status", CONTAINER_STATUS)])
def test_the_index_has_its_columns_in_their_order(relation: str, promised: list[tuple[str, str]], sql: Sql) -> None:
    assert columns(sql, relation) == promised


@pytest.mark.parametrize("table", OTHERS)
def test_the_other_tables_have_at_least_what_was_promised(table: str, sql: Sql) -> None:
    assert set(OTHERS[table].split()) <= {name for name, _ in columns(sql, table)}


def test_a_deployers_row_names_only_what_it_knows(sql: Sql) -> None:
    sql(INSERT, "default/app:1")
    ((row,),) = sql("SELECT to_jsonb(it) FROM tinyforge.containers AS it")
    given = {"id": "default/app:1", "workload_id": "default/app", "workload_kind": "project", "host": "local"}
    times = {"last_seen_at": None, "missing_since": None}
    assert row == {name: "" for name, _ in CONTAINERS} | {"port": 0} | times | given


def test_a_row_needs_no_workload_no_host_and_no_state_that_anybody_knows(sql: Sql) -> None:
    sql("INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, state) VALUES ('1', 'no/body', '?', 'nowhere', 'on fire')")
    assert sql("SELECT state, effective_state FROM tinyforge.container_status") == [("on fire", "on fire")]


def test_the_longest_id_that_names_and_labels_can_make_fits(sql: Sql) -> None:
    longest = f"{'n' * 63}/{'w' * 63}:{'r' * 255}:999999999"
    sql(INSERT, longest)
    with pytest.raises(psycopg.errors.CheckViolation):
        sql(INSERT, "x" * 1025)


def test_one_container_of_a_host_has_one_row_that_is_not_missing(sql: Sql) -> None:
    bind = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, container_id, state) VALUES (%s, '', '', %s, %s, %s)"
    sql(bind, "1", "local", "c", "running")
    sql(bind, "2", "other", "c", "running")
    sql(bind, "3", "local", "c", "missing")
    sql(bind, "4", "local", "", "running")
    sql(bind, "5", "local", "", "running")
    with pytest.raises(psycopg.errors.ExclusionViolation, match="containers_one_row_a_container"):
        sql(bind, "6", "local", "c", "stopped")
    with pytest.raises(psycopg.errors.ExclusionViolation):
        sql("UPDATE tinyforge.containers SET state = 'running' WHERE id = '3'")


def test_two_rows_can_swap_their_containers_in_one_statement(sql: Sql) -> None:
    for id_ in ("1", "2"):
        sql(INSERT, id_)
        sql("UPDATE tinyforge.containers SET container_id = id")
    sql("UPDATE tinyforge.containers SET container_id = CASE id WHEN '1' THEN '2' ELSE '1' END")
    assert sql("SELECT id, container_id FROM tinyforge.containers ORDER BY id") == [("1", "2"), ("2", "1")]


@pytest.mark.parametrize(("kind", "claim"), [("site", "ref"), ("stack", "compose_project")])
def test_a_ref_and_a_compose_project_belong_to_one_workload_of_a_host(kind: str, claim: str, sql: Sql) -> None:
    insert = f"INSERT INTO tinyforge.workloads (id, kind, host, {claim}) VALUES (%s, '{kind}', %s, %s)"  # noqa: S608 - names of ours

    def declare(*values: str) -> None:
        sql(insert, *values)

    declare("1", "local", "a")
    declare("2", "other", "a")
    declare("3", "local", "")
    declare("4", "local", "")
    with pytest.raises(psycopg.errors.ExclusionViolation):
        declare("5", "local", "a")


def test_a_database_belongs_to_one_installation(sql: Sql) -> None:
    assert sql("SELECT count(*), count(DISTINCT id) FROM tinyforge.installation") == [(1, 1)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        sql("INSERT INTO tinyforge.installation (id) VALUES (gen_random_uuid())")


def columns(sql: Sql, relation: str) -> list[tuple[str, str]]:
    """The columns of a table or view with their types, in order."""
    return [
        (name, kind)
        for name, kind in sql(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'tinyforge' AND table_name = %s"
            " ORDER BY ordinal_position",
            relation,
        )
    ]
