"""Valid objects of any form, for properties of all of them."""

from hypothesis import strategies as st

from tests.objects.documents import docker_host, workload

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
    optional={"path": st.sampled_from(["/a%20b", "/~a/"]), "port": st.integers(1, 65535), "role": VISIBLE},
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
            "allowedNamespaces": st.lists(LABELS | st.just("*"), max_size=9, unique=True),
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
            "faces": st.lists(FACES, max_size=3, unique_by=lambda face: (face["domain"], face.get("path"))),
            "suspend": st.booleans(),
        },
    ),
)
