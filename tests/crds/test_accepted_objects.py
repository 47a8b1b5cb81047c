"""What Python takes for valid the API server takes too, and gives back meaning the same."""

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from tests.crds.asking import taken
from tests.objects.documents import Document, docker_host, read_host, read_workload, workload
from tests.objects.generated import HOSTS, WORKLOADS
from tests.servers.cluster import Cluster
from tests.servers.kubernetes import ROOT

EXAMPLES = sorted((ROOT / "manifests/examples").glob("*.yaml"))
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# One question to a server an example, which takes a few milliseconds and may once take longer.
asked = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written_in(text: str) -> list[Document]:
    """The objects of ours in the code of a page."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    documents = [document for block in blocks for document in yaml.safe_load_all(block)]
    return [document for document in documents if document.get("apiVersion", "").startswith("tinyforge.dev/")]


def with_floats(document: Document) -> Document:
    """The same, with a float for every number of a config: there the API server keeps of a number beyond 2^53 no more than a float does."""
    spec = dict(document["spec"])
    for plugin in spec.keys() & {"source", "trigger"}:
        spec[plugin] = json.loads(json.dumps(spec[plugin]), parse_int=float)
    return {**document, "spec": spec}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_is_accepted(file: Path, cluster: Cluster):
    for document in yaml.safe_load_all(file.read_text()):
        taken(cluster, document)


def test_everything_that_the_texts_write_is_accepted(cluster: Cluster):
    documents = [document for text in TEXTS for document in written_in(text.read_text())]
    assert documents
    for document in documents:
        taken(cluster, document)


@given(HOSTS)
@asked
def test_a_host_that_python_takes_is_accepted_and_means_the_same(cluster: Cluster, document: Document):
    assert read_host(taken(cluster, document)).to_host() == read_host(document).to_host()


@given(WORKLOADS)
@asked
def test_a_workload_that_python_takes_is_accepted_and_means_the_same(cluster: Cluster, document: Document):
    document["metadata"]["namespace"] = "default"  # one that there is
    stored = taken(cluster, document)
    assert read_workload(with_floats(stored)).to_declared() == read_workload(with_floats(document)).to_declared()


@pytest.mark.parametrize(
    "document",
    [
        workload("a" * 63, host="b" * 63, group="c" * 63, parent="d" * 63),
        workload(kind="site", ref="~" * 255),
        workload(kind="stack", composeProject=f"tinyforge-{'a' * 127}"),
        workload(faces=[{"domain": f"a{n}.{'b' * 249}", "path": "/" + "a" * 1023, "role": "!" * 255} for n in range(10, 74)]),
        workload(source={"kind": "x", "config": {f"a{n}": None for n in range(1024)}}),
        docker_host(endpoint=f"unix:///{'é' * 53}", allowedNamespaces=[f"{n}{'a' * 60}" for n in range(100, 356)]),
        docker_host(endpoint=f"tcp://{'a' * 63}.example:65535", tls={"secretRef": {"name": "a" * 253}}, acknowledgedEngineID="~" * 255),
    ],
    ids=["names", "ref", "composeProject", "faces", "config", "namespaces", "endpoint"],
)
def test_the_longest_there_may_be_is_accepted(document: Document, cluster: Cluster):
    taken(cluster, document)


def test_a_field_without_a_value_counts_as_not_written(cluster: Cluster):
    stored = taken(cluster, workload(parent=None, source=None, faces=[{"domain": "a.b", "role": None}]))
    assert stored["spec"] == {"kind": "project", "host": "local", "faces": [{"domain": "a.b"}]}
