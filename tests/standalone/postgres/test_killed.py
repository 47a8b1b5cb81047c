"""Nothing that is killed, nor what it leaves behind, ever needs a person."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.standalone.postgres.processes import Holder, answers, ask, postmaster_pid, server_processes, wait_until
from tinyforge.standalone.postgres import EmbeddedPostgres, EmbeddedPostgresError, embedded, embedded_postgres, locks
from tinyforge.standalone.postgres import server as server_module
from tinyforge.standalone.postgres.account import server_account
from tinyforge.standalone.postgres.binaries import wheel_programs
from tinyforge.standalone.postgres.layout import layout_in

Join = Callable[..., Holder]


@contextmanager
def stranger(data_folder: Path) -> Iterator[int]:
    """A live process of the server's user that has nothing to do with it; yields its number."""
    account = server_account(data_folder / "postgres")
    with subprocess.Popen(["sleep", "600"], cwd="/", user=account.uid, group=account.gid) as process:
        try:
            yield process.pid
            assert process.poll() is None, "the stranger was taken for the server"
        finally:
            process.kill()


def test_a_killed_server_is_started_again_by_the_next_user_with_all_that_was_committed(used_folder: Path, join: Join) -> None:
    conninfo = join().joined()
    ask(conninfo, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(postmaster_pid(used_folder), signal.SIGKILL)
    with embedded_postgres(used_folder) as server:
        assert ask(server.conninfo, "TABLE kept") == [(7,)]


def test_a_killed_server_is_revived_for_who_still_uses_it(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        os.kill(postmaster_pid(used_folder), signal.SIGKILL)
        wait_until(lambda: revived(server))
    assert not server_processes(used_folder)


def test_a_server_that_ends_as_soon_as_it_is_revived_is_said_to_and_left_alone_for_a_while(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        os.kill(postmaster_pid(used_folder), signal.SIGKILL)
        wait_until(lambda: not server_processes(used_folder))
        (used_folder / "postgres" / "postgresql.conf").write_text("nonsense = 1\n")
        server.revive()
        wait_until(lambda: not server_processes(used_folder))
        with pytest.raises(EmbeddedPostgresError, match=r"ends as soon as it is started(?s:.*)unrecognized configuration parameter"):
            wait_until(lambda: revived(server))


@pytest.mark.timeout(20)
@pytest.mark.usefixtures("frozen")
def test_reviving_a_server_that_hangs_waits_for_nothing(used_folder: Path) -> None:
    EmbeddedPostgres(layout_in(used_folder)).revive()


def revived(server: EmbeddedPostgres) -> bool:
    """Whether a server that is revived again and again answers by now."""
    server.revive()
    try:
        return answers(server.conninfo)
    except psycopg.OperationalError:
        return False


def test_reviving_a_server_that_is_well_changes_nothing(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        pid = postmaster_pid(used_folder)
        server.revive()
        assert postmaster_pid(used_folder) == pid


def test_everything_killed_at_once_starts_again(used_folder: Path, join: Join) -> None:
    holder = join()
    conninfo = holder.joined()
    ask(conninfo, "CREATE TABLE kept AS SELECT 7 AS number")
    for pid in {holder.process.pid, *server_processes(used_folder)}:
        with suppress(ProcessLookupError):  # the others end by themselves when the postmaster has
            os.kill(pid, signal.SIGKILL)
    with embedded_postgres(used_folder) as server:
        assert ask(server.conninfo, "TABLE kept") == [(7,)]


def test_the_server_of_a_killed_user_is_found_again_and_stopped_by_the_next_last_user(used_folder: Path, join: Join) -> None:
    killed = join()
    conninfo = killed.joined()
    pid = postmaster_pid(used_folder)
    killed.process.kill()
    killed.process.wait()
    assert answers(conninfo)
    with embedded_postgres(used_folder):
        assert postmaster_pid(used_folder) == pid
    assert not server_processes(used_folder)


def test_a_killed_user_does_not_keep_the_server_running(used_folder: Path, join: Join) -> None:
    killed, other = join(), join()
    killed.joined()
    other.joined()
    killed.process.kill()
    killed.process.wait()
    assert other.leave() == (0, "", "")
    assert not server_processes(used_folder)


def test_a_kill_in_the_middle_of_initdb_leaves_nothing_that_hinders_the_next_start(data_folder: Path, join: Join) -> None:
    holder = join()
    unfinished = data_folder / "postgres.new"
    wait_until((unfinished / "PG_VERSION").exists)
    holder.process.kill()
    assert not (data_folder / "postgres").exists()
    with embedded_postgres(data_folder) as server:
        assert answers(server.conninfo)
    assert not unfinished.exists()


@pytest.mark.timeout(60)
def test_an_initdb_that_outlives_its_user_is_waited_for(data_folder: Path, join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = join()
    wait_until((data_folder / "postgres.new" / "PG_VERSION").exists)
    (initdb,) = Path(f"/proc/{holder.process.pid}/task/{holder.process.pid}/children").read_text().split()
    os.killpg(int(initdb), signal.SIGSTOP)
    holder.process.kill()
    with monkeypatch.context() as hurried:
        hurried.setattr(server_module, "START_SECONDS", 0.3)
        with pytest.raises(EmbeddedPostgresError, match=r"see .* and `fuser -v .*alive\.lock`"), embedded_postgres(data_folder):
            pass
    os.killpg(int(initdb), signal.SIGCONT)
    with embedded_postgres(data_folder) as server:
        assert answers(server.conninfo)


def test_a_user_killed_while_its_server_starts_leaves_a_server_that_is_found(used_folder: Path, join: Join) -> None:
    holder = join()
    wait_until(lambda: bool(server_processes(used_folder)))
    holder.process.kill()
    with embedded_postgres(used_folder) as server:
        assert answers(server.conninfo)
    assert (used_folder / "postgres.log").read_text().count("starting PostgreSQL") == 2


def test_the_process_number_of_a_dead_server_may_be_anybodys_now(used_folder: Path) -> None:
    with embedded_postgres(used_folder):
        written = (used_folder / "postgres" / "postmaster.pid").read_text()
        socket_lock = (used_folder / "postgres" / ".s.PGSQL.5432.lock").read_text()
        former = str(postmaster_pid(used_folder))
    with stranger(used_folder) as pid:
        (used_folder / "postgres" / "postmaster.pid").write_text(written.replace(former, str(pid), 1))
        (used_folder / "postgres" / ".s.PGSQL.5432.lock").write_text(socket_lock.replace(former, str(pid), 1))
        with embedded_postgres(used_folder) as server:
            assert answers(server.conninfo)
    assert not server_processes(used_folder)


@pytest.mark.parametrize("remains", [b"", b"\0\0\0\0", b"-\xff", b"1\n", b"9" * 400], ids=["empty", "zeros", "garbage", "init", "huge"])
def test_a_lock_file_that_a_power_loss_has_mangled_hinders_nobody(used_folder: Path, remains: bytes) -> None:
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (used_folder / "postgres" / name).write_bytes(remains)
    with embedded_postgres(used_folder) as server:
        assert answers(server.conninfo)


def test_a_server_that_a_person_started_by_hand_is_used_and_left_running(used_folder: Path) -> None:
    account = server_account(used_folder / "postgres")
    control = (wheel_programs() / "pg_ctl", "--wait", "--silent", "-D", used_folder / "postgres")
    null = os.open(os.devnull, os.O_RDWR)
    assert account.run([*control, "start"], output=null).returncode == 0
    os.close(null)
    pid = postmaster_pid(used_folder)
    with embedded_postgres(used_folder) as server:
        assert answers(server.conninfo)
    assert postmaster_pid(used_folder) == pid
    assert server_processes(used_folder)
    assert account.run([*control, "stop"]).returncode == 0


@pytest.fixture
def frozen(used_folder: Path, join: Join) -> Iterator[int]:
    """A server that takes connections and does nothing more, as under SIGSTOP or on a disk that hangs; yields its number."""
    join().joined()
    pid = postmaster_pid(used_folder)
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


@pytest.mark.timeout(20)
@pytest.mark.usefixtures("frozen")
def test_a_server_that_hangs_is_reported_in_time_with_what_to_look_at(used_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "START_SECONDS", 0.3)
    monkeypatch.setattr(server_module, "ANSWER_SECONDS", 0.1)
    with pytest.raises(EmbeddedPostgresError, match=r"does not answer: see .*postgres\.log and `fuser"), embedded_postgres(used_folder):
        pass
    assert server_processes(used_folder)


@pytest.mark.timeout(20)
def test_leaving_a_server_that_hangs_ends_in_time_and_the_server_by_itself(
    used_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "STOP_SECONDS", 0.1)
    with embedded_postgres(used_folder):
        pid = postmaster_pid(used_folder)
        os.kill(pid, signal.SIGSTOP)
    assert "is still stopping" in caplog.text
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not server_processes(used_folder))


@pytest.mark.timeout(20)
def test_another_process_that_never_ends_stopping_it_is_reported_in_time(used_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LAST_OUT_SECONDS", 0.1)
    with locks.opened(used_folder / "postgres.users.lock") as users:
        assert locks.take(users)
        with pytest.raises(EmbeddedPostgresError, match=r"Another process .* see `fuser -v "), embedded_postgres(used_folder):
            pass
