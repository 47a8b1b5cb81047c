"""Where private keys are while somebody can only read them from a file (fault 44)."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from tinyforge.engine import private_files
from tinyforge.engine.private_files import nameless_file, private_folder


def test_fault_44_a_nameless_file_reads_as_what_it_was_given_until_its_block_ends():
    with nameless_file(b"canary") as path:
        assert Path(path).read_bytes() == b"canary"
    with pytest.raises(OSError, match="No such file"):
        Path(path).read_bytes()


def test_fault_44_a_nameless_file_is_in_memory_and_in_no_folder():
    with nameless_file(b"canary") as path:
        assert os.readlink(path) == "/memfd:tinyforge (deleted)"


def test_fault_44_a_nameless_file_is_not_passed_on_to_children():
    with nameless_file(b"canary") as path:
        assert not os.get_inheritable(int(Path(path).name))


def test_a_system_that_has_no_files_in_memory_gets_one_without_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with nameless_file(b"canary") as path:
        assert list(tmp_path.iterdir()) == []
        assert Path(path).read_bytes() == b"canary"


def test_fault_44_a_private_folder_is_in_memory_and_nobody_else_may_enter_it():
    folder = private_folder()
    try:
        assert folder.parent == private_files.MEMORY
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()


def test_a_system_without_a_place_in_memory_has_private_folders_where_it_has_all_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(private_files, "MEMORY", tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert private_folder().parent == tmp_path
