"""Changes of a folder, look by look: the pauses between looks are stood in for, so that a step happens exactly between two of them.

The tests at the end let real time pass.
"""

import asyncio
import os
import shutil
import threading

import pytest

from tests.standalone.manifests.folder import workload
from tinyforge.standalone.manifests import watch
from tinyforge.standalone.manifests.watch import LOOK_SECONDS, changes

OLD, NEW = workload("old"), workload("newer")
OF_ONE_SIZE = workload("wen")


@pytest.fixture
def reports(monkeypatch):
    """Watch a folder, with one step in each long pause and `meanwhile` in the short ones; return what `read` gives at each report."""

    async def watched(path, *steps, read=lambda: None, meanwhile=lambda: None):
        left = list(steps)

        async def pause(seconds, stop):
            if seconds < LOOK_SECONDS:
                meanwhile()
            elif left:
                left.pop(0)()
            else:
                stop.set()

        monkeypatch.setattr(watch, "_pause", pause)
        return [read() async for _ in changes(path, stop=asyncio.Event())]

    return watched


def nothing():
    pass


async def test_the_folder_is_reported_at_once_and_then_not_without_a_change(folder, reports):
    folder.write("web.yaml", OLD)
    assert len(await reports(folder.path, nothing, folder.read, nothing)) == 1


async def test_a_file_written_anew_changed_and_deleted_is_reported_each_time(folder, reports):
    file = folder.path / "sub" / "web.yaml"
    seen = await reports(
        folder.path,
        lambda: folder.write("sub/web.yaml", OLD),
        lambda: file.write_text(NEW),
        file.unlink,
        read=lambda: file.read_text() if file.exists() else "",
    )
    assert seen == ["", OLD, NEW, ""]


async def test_an_editor_that_renames_a_new_file_over_the_old_is_reported_though_size_and_times_are_the_same(folder, reports):
    file = folder.write("web.yaml", OLD)

    def rename_over():
        new = folder.write("web.yaml.new", OF_ONE_SIZE)
        os.utime(new, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
        new.rename(file)

    assert await reports(folder.path, rename_over, read=file.read_text) == [OLD, OF_ONE_SIZE]


async def test_a_file_rewritten_in_place_is_reported_though_size_and_times_are_the_same(folder, reports):
    file = folder.write("web.yaml", OLD)

    def rewrite():
        before = file.stat()
        while file.stat().st_ctime_ns == before.st_ctime_ns:  # the file system's clock ticks some hundred times a second
            file.write_text(OF_ONE_SIZE)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert await reports(folder.path, rewrite, read=file.read_text) == [OLD, OF_ONE_SIZE]


async def test_a_file_that_is_no_manifest_is_not_reported(folder, reports):
    assert len(await reports(folder.path, lambda: folder.write("notes.txt", "x"), lambda: folder.write(".web.yaml.swp", "x"))) == 1


async def test_a_mounted_config_map_that_changes_is_reported(folder, reports):
    folder.write("..1/web.yaml", OLD)
    folder.write("..2/web.yaml", NEW)
    (folder.path / "..data").symlink_to("..1")
    (folder.path / "web.yaml").symlink_to("..data/web.yaml")
    (folder.path / "..new").symlink_to("..2")
    seen = await reports(
        folder.path, lambda: (folder.path / "..new").rename(folder.path / "..data"), read=(folder.path / "web.yaml").read_text
    )
    assert seen == [OLD, NEW]


async def test_a_folder_that_is_a_link_and_now_leads_elsewhere_is_reported_and_watched_there(tmp_path, reports):
    for release, text in (("one", OLD), ("two", NEW)):
        (tmp_path / release).mkdir()
        (tmp_path / release / "web.yaml").write_text(text)
    (tmp_path / "current").symlink_to("one")
    (tmp_path / "next").symlink_to("two")
    seen = await reports(
        tmp_path / "current",
        lambda: (tmp_path / "next").rename(tmp_path / "current"),
        lambda: (tmp_path / "two" / "web.yaml").write_text("last"),
        read=(tmp_path / "current" / "web.yaml").read_text,
    )
    assert seen == [OLD, NEW, "last"]


async def test_the_target_of_a_linked_file_is_watched(folder, tmp_path, reports):
    target = tmp_path / "web.yaml"
    target.write_text(OLD)
    (folder.path / "web.yaml").symlink_to(target)
    assert await reports(folder.path, lambda: target.write_text(NEW), read=target.read_text) == [OLD, NEW]


async def test_a_folder_that_vanishes_and_comes_back_is_reported_both_times_and_watched_again(folder, reports):
    folder.write("web.yaml", OLD)
    seen = await reports(
        folder.path,
        lambda: shutil.rmtree(folder.path),
        nothing,
        lambda: folder.write("web.yaml", OLD),
        lambda: folder.write("db.yaml", NEW),
        read=lambda: sorted(os.listdir(folder.path)) if folder.path.exists() else None,
    )
    assert seen == [["web.yaml"], None, ["web.yaml"], ["db.yaml", "web.yaml"]]


async def test_a_folder_that_is_not_there_yet_is_reported_when_it_comes(tmp_path, reports):
    later = tmp_path / "later"
    assert await reports(later, nothing, later.mkdir, read=later.exists) == [False, True]


async def test_a_permission_given_back_is_reported(folder, reports):
    file = folder.write("web.yaml", OLD)
    file.chmod(0)
    assert len(await reports(folder.path, lambda: file.chmod(0o644))) == 2


async def test_a_file_that_was_just_emptied_is_reported_when_it_has_been_written(folder, reports):
    file = folder.write("web.yaml", OLD)

    def write_on():
        if not file.read_text():
            file.write_text(NEW)

    assert await reports(folder.path, lambda: file.write_text(""), read=file.read_text, meanwhile=write_on) == [OLD, NEW]


async def test_a_file_that_is_written_without_end_is_reported_all_the_same(folder, reports):
    file = folder.write("log.yaml", "#")

    def scribble():
        with file.open("a") as stream:
            stream.write("#")

    assert len(await reports(folder.path, scribble, scribble, meanwhile=scribble)) == 3


async def test_in_real_time_an_edit_is_reported(folder):
    file = folder.write("web.yaml", OLD)
    stop = asyncio.Event()
    seen = []
    async with asyncio.timeout(5):
        async for _ in changes(folder.path, stop=stop):
            seen.append(file.read_text())
            file.write_text(NEW)
            if len(seen) == 2:
                stop.set()
    assert seen == [OLD, NEW]


@pytest.mark.parametrize("delay", [0, 0.01, 0.3])
async def test_in_real_time_stop_ends_it_at_once_and_nothing_is_reported_after_it(folder, delay):
    stop = asyncio.Event()

    async def follow():
        return [change async for change in changes(folder.path, stop=stop, every=60)]

    watching = asyncio.create_task(follow())
    await asyncio.sleep(delay)
    stop.set()
    async with asyncio.timeout(1):
        assert await watching == []


async def test_in_real_time_a_cancelled_watch_ends_at_once_and_leaves_stop_alone(folder):
    stop, seen = asyncio.Event(), asyncio.Event()

    async def follow():
        async for _ in changes(folder.path, stop=stop, every=0.1):
            seen.set()

    watching = asyncio.create_task(follow())
    await seen.wait()
    watching.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await watching
    assert not stop.is_set()


def test_no_thread_is_left_when_it_has_ended(folder):
    async def watch_a_little():
        stop = asyncio.Event()
        async for _ in changes(folder.path, stop=stop):
            stop.set()

    before = threading.active_count()
    asyncio.run(watch_a_little())
    assert threading.active_count() == before
