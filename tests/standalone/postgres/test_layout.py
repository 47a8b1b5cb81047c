"""Where the data lie, and what the connection string looks like."""

import os
from pathlib import Path

import psycopg.conninfo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.standalone.postgres import EmbeddedPostgresError, default_folder
from tinyforge.standalone.postgres.layout import Layout

HARMLESS_TO_A_SHELL = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%@:/_.-~")


@pytest.fixture
def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ann")


def test_the_data_of_root_are_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_folder({"XDG_DATA_HOME": "/elsewhere"}) == Path("/var/lib/tinyforge")


@pytest.mark.usefixtures("not_root")
@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, "/home/ann/.local/share/tinyforge"),
        ({"XDG_DATA_HOME": ""}, "/home/ann/.local/share/tinyforge"),
        ({"XDG_DATA_HOME": "relative"}, "/home/ann/.local/share/tinyforge"),
        ({"XDG_DATA_HOME": "/data/ann"}, "/data/ann/tinyforge"),
    ],
)
def test_the_data_of_a_user_are_where_the_xdg_specification_says(environ: dict[str, str], folder: str) -> None:
    assert default_folder(environ) == Path(folder)


def test_a_user_without_a_home_is_asked_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(EmbeddedPostgresError, match="TINYFORGE_DATA"):
        default_folder({})


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_libpq_reads_any_folder_out_of_the_connection_string_and_no_shell_takes_it_apart(name: str) -> None:
    layout = Layout(Path("/data") / name)
    assert set(layout.conninfo) <= HARMLESS_TO_A_SHELL
    assert psycopg.conninfo.conninfo_to_dict(layout.conninfo) == {
        "host": str(layout.data),
        "port": "5432",
        "user": "tinyforge",
        "dbname": "tinyforge",
    }
