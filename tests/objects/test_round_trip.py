"""Whatever is valid converts, and reads the same after it was written out."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.objects.documents import docker_host, read_host, read_workload, workload

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255)
SECRETS = st.fixed_dictionaries({"secretRef": st.fixed_dictionaries({"name": LABELS})})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
)
CONFIGS = st.dictionaries(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LABELS, inner, max_size=4), max_leaves=10),
    max_size=5,
)
PLUGINS = st.fixed_dictionaries({"kind": LABELS}, optional={"config": CONFIGS})
FACES = st.fixed_dictionaries(
    {"domain": LABELS.map(lambda name: f"{name}.example.com")},
    optional={"path": st.just("/a%20b"), "port": st.integers(1, 65535), "role": VISIBLE},
)
HOSTS = st.builds(
    lambda name, endpoint, rest: docker_host(name, **endpoint, **rest),
    LABELS,
    st.one_of(
        st.fixed_dictionaries({"endpoint": st.just("unix:///run/docker.sock")}, optional={"tls": SECRETS, "ssh": SECRETS}),
        st.fixed_dictionaries({"endpoint": st.just("tcp://[::1]:2376"), "tls": SECRETS}),
        st.fixed_dictionaries({"endpoint": st.just("ssh://me@example.com:22"), "ssh": SECRETS}),
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "suspend": st.booleans(),
            "acknowledgedEngineID": VISIBLE,
            "allowedNamespaces": st.lists(LABELS | st.just("*"), max_size=9),
        },
    ),
)
WORKLOADS = st.builds(
    lambda name, namespace, kind, rest: workload(name, namespace=namespace, **kind, **rest),
    LABELS,
    LABELS,
    st.one_of(
        st.just({"kind": "project"}),
        st.fixed_dictionaries({"kind": st.just("site")}, optional={"ref": VISIBLE}),
        st.fixed_dictionaries({"kind": st.just("stack")}, optional={"composeProject": LABELS.map(lambda name: f"tinyforge-{name}")}),
    ),
    st.fixed_dictionaries(
        {"host": LABELS},
        optional={
            "group": LABELS,
            "parent": LABELS,
            "source": PLUGINS,
            "trigger": PLUGINS,
            "faces": st.lists(FACES, max_size=3),
            "suspend": st.booleans(),
        },
    ),
)


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
