"""Who runs the server and who may connect: root through an account of the server's, anybody else as themselves."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.postgres import cluster_folder
from tests.standalone.postgres.processes import ROOT, Holder, answers, holding, postmaster_pid, server_processes
from tinyforge.standalone.postgres import EmbeddedPostgresError, embedded_postgres
from tinyforge.standalone.postgres.account import Account, server_account
from tinyforge.standalone.postgres.binaries import wheel_programs

Join = Callable[..., Holder]
NOBODY = pwd.getpwnam("nobody").pw_uid
as_root = pytest.mark.skipif(not ROOT, reason="only root can be another user")


def modes(folder: Path) -> list[int]:
    return [each.stat().st_mode for each in (folder, *folder.parents)]


@pytest.fixture(scope="module")
def open_wheel() -> Iterator[Path]:
    """A copy of the programs that everybody can reach."""
    install = wheel_programs().parent
    package = install.parent
    with cluster_folder(Path(tempfile.gettempdir())) as folder:
        shutil.copytree(install, folder / package.name / install.name, ignore=shutil.ignore_patterns("include", "*.a"))
        shutil.copytree(package.with_name(f"{package.name}.libs"), folder / f"{package.name}.libs")
        (folder / package.name / "__init__.py").touch()  # or Python prefers the package that has one
        yield folder


@pytest.fixture
def closed_wheel(open_wheel: Path) -> Iterator[Path]:
    """The same copy, which only root can reach, file by file, as after an installation under a strict umask."""
    subprocess.run(["chmod", "-R", "go=", open_wheel], check=True)
    yield open_wheel
    subprocess.run(["chmod", "-R", "go=u-w", open_wheel], check=True)


def test_folders_that_exist_keep_their_modes(data_folder: Path) -> None:
    data_folder.mkdir()
    data_folder.chmod(0o751)
    before = modes(data_folder)
    with embedded_postgres(data_folder):
        assert modes(data_folder) == before


def test_a_strict_umask_does_not_shut_the_server_out(data_folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with embedded_postgres(data_folder / "deep" / "down") as server:
            assert answers(server.conninfo)
    finally:
        os.umask(before)


def test_the_data_and_with_them_the_socket_are_the_owners_alone(data_folder: Path) -> None:
    with embedded_postgres(data_folder):
        assert (data_folder / "postgres").stat().st_mode & 0o777 == 0o700
        assert (data_folder / "postgres" / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700
        assert (data_folder / "postgres.log").stat().st_mode & 0o777 == 0o600


@as_root
def test_another_user_cannot_connect(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        tried = Account(54321, 54321).run([wheel_programs() / "psql", server.conninfo, "-c", "SELECT"])
        assert tried.returncode == 2
        assert "Permission denied" in tried.stdout


@as_root
def test_another_user_cannot_connect_even_if_every_folder_is_open(used_folder: Path) -> None:
    with embedded_postgres(used_folder) as server:
        (used_folder / "postgres").chmod(0o755)
        tried = Account(54321, 54321).run([wheel_programs() / "psql", server.conninfo, "-c", "SELECT"])
        (used_folder / "postgres").chmod(0o700)
        assert "Permission denied" in tried.stdout


@as_root
def test_for_root_the_server_runs_as_another_account_and_root_can_connect(data_folder: Path) -> None:
    with embedded_postgres(data_folder) as server:
        assert Path(f"/proc/{postmaster_pid(data_folder)}").stat().st_uid == server_account(data_folder / "new").uid != 0
        assert answers(server.conninfo)


@as_root
def test_root_that_may_not_look_at_other_users_processes_stops_the_server_all_the_same(used_folder: Path, join: Join) -> None:
    holder = join(before=("setpriv", "--bounding-set", "-sys_ptrace"))  # as in a container
    holder.joined()
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(
            ["setpriv", "--bounding-set", "-sys_ptrace", "ls", f"/proc/{postmaster_pid(used_folder)}/cwd/"], check=True, capture_output=True
        )
    assert holder.leave() == (0, "", "")
    assert not server_processes(used_folder)


@as_root
def test_data_stay_with_the_account_that_has_them(used_folder: Path) -> None:
    subprocess.run(["chown", "-R", "nobody:", used_folder / "postgres"], check=True)
    with embedded_postgres(used_folder):
        assert Path(f"/proc/{postmaster_pid(used_folder)}").stat().st_uid == NOBODY


@as_root
def test_data_that_were_given_to_root_are_refused(used_folder: Path) -> None:
    subprocess.run(["chown", "-R", "root:", used_folder / "postgres"], check=True)
    with pytest.raises(EmbeddedPostgresError, match=r"is root's: give it back to its user by chown -R"), embedded_postgres(used_folder):
        pass


@as_root
def test_a_folder_that_the_servers_account_cannot_reach_is_refused_and_stays_closed(data_folder: Path) -> None:
    closed = data_folder.with_name("closed")
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=r"cannot pass through .*/closed/data"), embedded_postgres(closed / "data"):
        pass
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_that_the_servers_account_cannot_reach_are_copied_once_and_their_folder_stays_closed(
    disk_folder: Path, closed_wheel: Path
) -> None:
    disk_folder.mkdir(mode=0o711)
    (disk_folder / "postgres-programs-0.0.1").mkdir()
    with holding(disk_folder, "--wheel", str(closed_wheel)) as first:
        first.joined()
        assert Path(f"/proc/{postmaster_pid(disk_folder)}/exe").resolve().is_relative_to(disk_folder)
        assert first.leave() == (0, "", "")
    (copied,) = disk_folder.glob("postgres-programs-*")
    copied_at = copied.stat().st_ctime_ns
    with holding(disk_folder, "--wheel", str(closed_wheel)) as second:
        second.joined()
        assert second.leave() == (0, "", "")
    assert copied.stat().st_ctime_ns == copied_at
    assert closed_wheel.stat().st_mode & 0o777 == 0o700


@as_root
def test_a_copy_of_the_programs_that_was_cut_short_is_made_again(disk_folder: Path, closed_wheel: Path) -> None:
    for _ in range(2):
        with holding(disk_folder, "--wheel", str(closed_wheel)) as holder:
            holder.joined()
            assert holder.leave() == (0, "", "")
        (copied,) = disk_folder.glob("postgres-programs-*/*/*/bin/postgres")
        os.truncate(copied, 4096)


@as_root
def test_a_user_who_is_not_root_runs_the_server_as_themselves(open_wheel: Path) -> None:
    with cluster_folder() as home:
        os.chown(home, NOBODY, -1)
        folder = home / "share" / "data"
        with holding(folder, "--as", str(NOBODY), "--wheel", str(open_wheel)) as holder:
            conninfo = holder.joined()
            assert Path(f"/proc/{postmaster_pid(folder)}").stat().st_uid == NOBODY
            assert (home / "share").stat().st_mode & 0o777 == 0o700
            assert answers(conninfo)
            assert holder.leave() == (0, "", "")
        assert not server_processes(folder)


@as_root
def test_a_user_who_is_not_root_is_told_whose_folder_it_is(used_folder: Path, join: Join) -> None:
    code, printed, errors = join("--as", str(NOBODY)).leave()
    assert (code, printed) == (1, "")
    assert f"No permission for {used_folder}" in errors
    assert "TINYFORGE_DATA" in errors
