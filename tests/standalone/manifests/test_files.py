import codecs
import os

import pytest

from tests.standalone.manifests.folder import workload
from tinyforge.ports import TinyforgeError
from tinyforge.standalone.manifests import files
from tinyforge.standalone.manifests.files import FolderUnreadable, list_manifests
from tinyforge.standalone.manifests.read import read_folder


def names(folder):
    return [os.path.relpath(file, folder.path) for file in list_manifests(folder.path).files]


def test_manifests_are_the_yaml_files_of_the_folder_and_those_below_it_in_order(folder):
    for name in ("b.yaml", "a.yml", "sub/c.yaml", "sub/deeper/d.yaml", "README.md", "a.yaml~", "b.yaml.swp", "YAML"):
        folder.write(name, "")
    assert names(folder) == ["a.yml", "b.yaml", "sub/c.yaml", "sub/deeper/d.yaml"]


def test_what_begins_with_a_dot_is_left_out(folder):
    for name in (".a.yaml", ".git/b.yaml", "..data/c.yaml", ".#d.yaml"):
        folder.write(name, "")
    assert names(folder) == []


def test_a_mounted_config_map_is_read_once_through_its_links(folder):
    folder.write("..2026_01_01/web.yaml", workload("web"))
    (folder.path / "..data").symlink_to("..2026_01_01")
    (folder.path / "web.yaml").symlink_to("..data/web.yaml")
    assert folder.workloads() == ["default/web"]
    assert folder.problems() == []


def test_linked_folders_are_followed_and_a_loop_of_links_is_read_once(folder, tmp_path):
    folder.write("web.yaml", workload("web"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "db.yaml").write_text(workload("db"))
    (folder.path / "linked").symlink_to(tmp_path / "elsewhere")
    (folder.path / "again").symlink_to(tmp_path / "elsewhere")
    (folder.path / "loop").symlink_to(folder.path)
    assert names(folder) == ["again/db.yaml", "web.yaml"]
    assert folder.problems() == []


def test_a_folder_that_is_called_like_a_manifest_is_a_folder(folder):
    folder.write("sub.yaml/web.yaml", workload("web"))
    assert names(folder) == ["sub.yaml/web.yaml"]


def test_a_pipe_or_a_link_to_itself_is_a_problem_and_not_a_wait_without_end(folder):
    os.mkfifo(folder.path / "a.yaml")
    (folder.path / "b.yaml").symlink_to("b.yaml")
    (folder.path / "c").symlink_to("c")
    assert folder.problems() == [
        "manifests/a.yaml: is no regular file",
        "manifests/b.yaml: cannot be read: Too many levels of symbolic links",
    ]


def test_a_file_that_changes_while_it_is_read_is_a_problem_and_not_half_a_file(folder, monkeypatch):
    folder.write("web.yaml", workload("web"))
    status = os.fstat

    def written_since(descriptor):  # a fake: no writer can be made to come exactly between two system calls
        found = status(descriptor)
        os.utime(descriptor, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
        return found

    monkeypatch.setattr(os, "fstat", written_since)
    assert folder.problems() == ["manifests/web.yaml: changed while it was read"]
    assert not folder.read().reading.complete


def test_a_missing_folder_is_an_error_that_says_so_and_what_to_do(tmp_path):
    with pytest.raises(FolderUnreadable, match=r"nowhere cannot be read: No such file or directory; name another with -f"):
        read_folder(tmp_path / "nowhere")
    assert issubclass(FolderUnreadable, TinyforgeError)


def test_a_file_in_place_of_the_folder_is_an_error(folder):
    with pytest.raises(FolderUnreadable, match="Not a directory"):
        read_folder(folder.write("a.yaml", ""))


@pytest.fixture
def nobody():
    """Be somebody whom file modes bind, if the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    codecs.lookup("utf-8-sig")  # whose module nobody may be able to read, and that would be remembered
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_or_file_without_permission_is_told(folder, request):
    folder.write("web.yaml", workload("web"))
    folder.write("secret.yaml", workload("x")).chmod(0)
    folder.write("sub/y.yaml", workload("y"))
    for above in (folder.path.parent, *folder.path.parent.parents[:3]):
        if above.stat().st_uid == os.geteuid() and above != above.parent:
            above.chmod(above.stat().st_mode | 0o011)
    (folder.path / "sub").chmod(0)
    request.getfixturevalue("nobody")
    try:
        assert folder.problems() == [
            "manifests/secret.yaml: cannot be read: Permission denied",
            "manifests/sub: cannot be read: Permission denied",
        ]
        assert folder.workloads() == ["default/web"]
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (folder.path / "sub").chmod(0o755)


def test_a_folder_of_too_many_files_is_none_of_manifests(folder, monkeypatch):
    monkeypatch.setattr(files, "MAX_FILES", 10)
    for number in range(11):
        folder.write(f"{number}.yaml", "")
    with pytest.raises(FolderUnreadable, match="holds more than 10 YAML files or folders"):
        read_folder(folder.path)
