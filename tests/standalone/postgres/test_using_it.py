"""Several people use one embedded PostgreSQL: the first one in starts it, the last one out stops it."""

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.postgres import cluster_folder
from tests.standalone.postgres.processes import Holder, answers, ask, end_of, postmaster_pid, server_processes, wait_until
from tinyforge.standalone.postgres import EmbeddedPostgresError, embedded, embedded_postgres
from tinyforge.standalone.postgres.server import Server

Join = Callable[..., Holder]


def test_the_first_start_creates_the_data_and_the_database(data_folder: Path) -> None:
    with embedded_postgres(data_folder) as server:
        assert ask(server.conninfo, "SELECT current_database(), current_user") == [("tinyforge", "tinyforge")]


def test_nothing_runs_after_the_only_user_has_left(used_folder: Path) -> None:
    with embedded_postgres(used_folder):
        assert server_processes(used_folder)
    assert not server_processes(used_folder)


def test_the_next_start_finds_what_was_written(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        ask(server.conninfo, "CREATE TABLE kept AS SELECT 7 AS number")
    with embedded_postgres(used_folder) as server:
        assert ask(server.conninfo, "TABLE kept") == [(7,)]


def test_a_second_user_finds_the_running_server(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as first:
        pid = postmaster_pid(used_folder)
        with embedded_postgres(used_folder) as second:
            assert second.conninfo == first.conninfo
            assert postmaster_pid(used_folder) == pid


def test_the_second_user_works_on_when_the_first_leaves_and_stops_the_server_as_the_last(used_folder: Path, join: Join) -> None:
    first, second = join(), join()
    conninfo = first.joined()
    second.joined()
    assert first.leave() == (0, "", "")
    assert answers(conninfo)
    assert second.leave() == (0, "", "")
    assert not server_processes(used_folder)


def test_of_six_starts_at_once_one_starts_and_five_find_it(data_folder: Path, join: Join) -> None:
    holders = [join() for _ in range(6)]
    assert len({holder.joined() for holder in holders}) == 1
    assert (data_folder / "postgres.log").read_text().count("starting PostgreSQL") == 1
    assert [holder.leave() for holder in holders] == [(0, "", "")] * 6
    assert not server_processes(data_folder)


def test_nobody_loses_the_server_while_others_come_and_go(used_folder: Path, join: Join) -> None:
    holders = [join("--rounds", "8") for _ in range(3)]
    assert [holder.leave() for holder in holders] == [(0, "", "")] * 3
    assert not server_processes(used_folder)


def test_nobody_can_join_while_the_last_one_out_stops_the_server(used_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Server.stop

    def stop_when_somebody_has_tried_to_join(server: Server) -> None:
        with pytest.raises(EmbeddedPostgresError, match="Another process has been stopping PostgreSQL"), embedded_postgres(used_folder):
            pass
        stop(server)

    monkeypatch.setattr(embedded, "LAST_OUT_SECONDS", 0.1)
    monkeypatch.setattr(Server, "stop", stop_when_somebody_has_tried_to_join)
    with embedded_postgres(used_folder):
        pass
    assert not server_processes(used_folder)


def test_two_used_folders_have_two_servers(used_folder: Path) -> None:
    with cluster_folder() as other, embedded_postgres(used_folder) as one, embedded_postgres(other) as two:
        assert ask(one.conninfo, "SELECT system_identifier FROM pg_control_system()") != ask(
            two.conninfo, "SELECT system_identifier FROM pg_control_system()"
        )
        end_of(other)


def test_the_connection_string_can_be_pasted_into_a_shell_after_psql(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        command = f"{shlex.quote(str(server.psql))} {server.conninfo} -Atc 'SELECT 40 + 2'"
        assert subprocess.run(command, shell=True, capture_output=True, check=True, text=True).stdout == "42\n"  # noqa: S602 - as a person does


def test_the_environment_of_the_shell_does_not_lead_it_astray(used_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere", "PGUSER": "nobody", "PGDATABASE": "none", "PGDATA": "/none"}.items():
        monkeypatch.setenv(name, value)
    with embedded_postgres(used_folder) as server:
        assert ask(server.conninfo, "SELECT current_database()") == [("tinyforge",)]


def test_a_dropped_database_is_there_again_for_the_next_user(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        ask(server.conninfo.removesuffix("tinyforge") + "postgres", "DROP DATABASE tinyforge")
        with embedded_postgres(used_folder):
            assert answers(server.conninfo)


def test_the_server_is_durable_and_local_and_the_same_everywhere(used_folder: Path) -> None:
    expected = {
        "data_checksums": "on",
        "fsync": "on",
        "listen_addresses": "",
        "max_connections": "50",
        "server_encoding": "UTF8",
        "unix_socket_permissions": "0700",
    }
    with embedded_postgres(used_folder) as server:
        settings = {name: setting for name, setting in ask(server.conninfo, "SELECT name, setting FROM pg_settings") if name in expected}
        assert settings == expected
        assert ask(server.conninfo, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'tinyforge'") == [("b", "C.UTF-8")]


def test_a_ctrl_c_in_the_terminal_that_started_it_does_not_reach_the_server(used_folder: Path, join: Join) -> None:
    first = join()
    conninfo = first.joined()
    pid = postmaster_pid(used_folder)
    second = join()
    second.joined()
    first.interrupt()
    assert first.leave() == (130, "", "")
    assert answers(conninfo)
    assert postmaster_pid(used_folder) == pid
    assert second.leave() == (0, "", "")


def test_a_ctrl_c_while_it_starts_leaves_no_server_behind(used_folder: Path, join: Join) -> None:
    holder = join()
    wait_until(lambda: bool(server_processes(used_folder)))
    holder.interrupt()
    assert holder.leave()[0] == 130
    assert not server_processes(used_folder)


def test_the_server_is_no_child_of_ours_that_could_become_a_zombie(used_folder: Path) -> None:
    with embedded_postgres(used_folder):
        status = Path(f"/proc/{postmaster_pid(used_folder)}/status").read_text()
        assert f"PPid:\t{os.getpid()}\n" not in status


def test_a_log_that_has_grown_is_put_aside_at_the_next_start(used_folder: Path) -> None:
    log = used_folder / "postgres.log"
    log.write_bytes(b"x" * (1024 * 1024 + 1))
    with embedded_postgres(used_folder):
        pass
    assert log.with_name("postgres.log.1").stat().st_size == 1024 * 1024 + 1
    assert log.read_text().startswith("20")
