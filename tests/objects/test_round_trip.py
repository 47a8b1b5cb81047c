"""Whatever is valid converts, and reads the same after it was written out."""

import json

from hypothesis import given

from tests.objects.documents import read_host, read_workload
from tests.objects.generated import HOSTS, WORKLOADS


@given(HOSTS)
def test_a_host_reads_the_same_after_it_was_written_out(document):
    host = read_host(document)
    assert read_host(json.loads(host.model_dump_json(exclude_none=True, exclude_unset=True))) == host
    assert host.to_host().name == document["metadata"]["name"]


@given(WORKLOADS)
def test_a_workload_reads_the_same_after_it_was_written_out(document):
    written = read_workload(document)
    assert read_workload(json.loads(written.model_dump_json(exclude_unset=True))) == written
    declared = written.to_declared()
    assert declared.key.id == "{namespace}/{name}".format_map(document["metadata"])
    assert json.loads(json.dumps(declared.source_config)) == declared.source_config
