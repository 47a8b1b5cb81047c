"""Fixtures of the tests of the embedded PostgreSQL: a folder for its data, and other processes that use it."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers.postgres import cluster_folder
from tests.standalone.postgres.processes import Holder, end_of, holding
from tinyforge.standalone.postgres import embedded_postgres


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A data folder that does not exist yet; whatever still works in it at the end is killed."""
    with cluster_folder() as parent:
        folder = parent / "data"
        yield folder
        end_of(folder)


@pytest.fixture(scope="session")
def once_used() -> Iterator[Path]:
    with cluster_folder() as folder:
        with embedded_postgres(folder):
            pass
        yield folder


@pytest.fixture
def used_folder(data_folder: Path, once_used: Path) -> Path:
    """The same data folder, in which a server has run before."""
    subprocess.run(["cp", "-a", "--reflink=auto", once_used, data_folder], check=True)
    return data_folder


@pytest.fixture
def disk_folder() -> Iterator[Path]:
    """A data folder like `data_folder` from which programs may be run, as they may not be from memory everywhere."""
    with cluster_folder(Path(tempfile.gettempdir())) as parent:
        folder = parent / "data"
        yield folder
        end_of(folder)


@pytest.fixture
def join(data_folder: Path) -> Iterator[Callable[..., Holder]]:
    """Start other processes that use the server of the data folder."""
    with ExitStack() as stack:
        yield lambda *options, **keywords: stack.enter_context(holding(data_folder, *options, **keywords))
