"""Whatever stands in a file, there is a reading of the folder and never anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standalone.manifests.folder import HOST, workload
from tinyforge.standalone.manifests.read import FolderReading, read_folder

PIECES = st.sampled_from([
    "apiVersion", "tinyforge.dev/v1alpha1", "kind", "DockerHost", "Workload", "metadata", "name", "spec", "host", "config", "source",
    ":", ": ", "- ", "\n", "\n  ", "\n---\n", "\n...\n", "{", "}", "[", "]", ",", "&a ", "*a", "!x ", "<<", "'", '"', "|\n", "? ", "#", "%",
    "\t", "\0", "\\0", "~", "1e9", ".nan", "2024-01-01", "\r", "\u2028", "\x85", "\ufeff", "é", "🙂", "\u202e", HOST, workload("web"),
])  # fmt: skip
YAMLISH = st.lists(PIECES, max_size=30).map(lambda pieces: "".join(pieces).encode())
EDITED = st.tuples(st.integers(0, 200), st.integers(0, 20), YAMLISH).map(
    lambda edit: (HOST + "---\n" + workload("web")).encode()[: edit[0]] + edit[2] + (HOST + workload("web")).encode()[edit[0] + edit[1] :]
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


@given(content=st.binary() | st.text().map(str.encode) | YAMLISH | EDITED)
def test_any_text_gives_a_reading_with_printable_problems(path, content):
    (path / "any.yaml").write_bytes(content)
    found = read_folder(path)
    assert isinstance(found, FolderReading)
    assert all(str(problem).isprintable() for problem in found.problems)
    assert found.reading.complete or found.problems
    assert all(0 <= problem.line <= len(content.decode(errors="replace").splitlines()) + 1 for problem in found.problems)
