import re
from pathlib import Path

import pytest
import yaml

from tests.objects.documents import docker_host, read_host, read_workload, workload
from tinyforge.objects.crd import crd_files, custom_resource_definitions, render_crds

CRDS = {crd["spec"]["names"]["kind"]: crd for crd in custom_resource_definitions()}
VERSIONS = {kind: crd["spec"]["versions"][0] for kind, crd in CRDS.items()}
SCHEMAS = {kind: version["schema"]["openAPIV3Schema"] for kind, version in VERSIONS.items()}
# What apiextensions.k8s.io/v1 lets a structural schema hold, as far as it is used here.
STRUCTURAL = {
    "type", "format", "description", "enum", "pattern", "maxLength", "minimum", "maximum", "maxItems", "maxProperties", "required", "items",
    "properties", "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip


def parts(schema, path=""):
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from parts(field, f"{path}.{name}")
    if "items" in schema:
        yield from parts(schema["items"], f"{path}[]")


BY_PATH = {f"{kind}{path}": part for kind, schema in SCHEMAS.items() for path, part in parts(schema)}
PARTS = [pytest.param(part, id=path) for path, part in BY_PATH.items()]
PATTERNS = [pytest.param(part["pattern"], id=path) for path, part in BY_PATH.items() if "pattern" in part]
RULES = [rule for part in BY_PATH.values() for rule in part.get("x-kubernetes-validations", [])]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_schemas_is_structural(part):
    assert set(part) <= STRUCTURAL
    assert part["type"] in {"object", "array", "string", "integer", "number", "boolean"}


@pytest.mark.parametrize("part", PARTS)
def test_every_field_is_described_but_metadata_of_which_kubernetes_allows_no_description(part):
    assert part.get("description") or part is SCHEMAS["DockerHost"]["properties"]["metadata"] or set(part) == {"type", "properties"}


@pytest.mark.parametrize("part", PARTS)
def test_every_string_list_and_map_has_a_maximum(part):
    match part["type"]:
        case "string":
            assert part["maxLength"]
        case "array":
            assert part["maxItems"]
            assert part["items"]
        case "object" if "properties" not in part:
            assert part["maxProperties"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_written_so_that_python_and_re2_understand_it_alike(pattern):
    re.compile(pattern)
    assert pattern.startswith("^(")
    assert pattern.endswith(")$")
    assert not re.search(r"\(\?|\\[A-Za-z0-9]", pattern)


def test_fault_39_a_port_has_a_range():
    port = SCHEMAS["Workload"]["properties"]["spec"]["properties"]["faces"]["items"]["properties"]["port"]
    assert (port["type"], port["minimum"], port["maximum"]) == ("integer", 1, 65535)


def test_what_may_never_be_has_a_rule_with_a_message():
    messages = " | ".join(rule["message"] for rule in RULES)
    for expected in (
        "kind never changes",
        "ref is for kind site",
        "composeProject is for kind stack",
        "begins with tinyforge-",
        "allowed are unix://",
        "tcp:// needs tls.secretRef",
        "ssh:// needs ssh.secretRef",
        "every face has a domain and a path that no other has",
    ):
        assert expected in messages


@pytest.mark.parametrize("part", [pytest.param(part, id=path) for path, part in BY_PATH.items() if "pattern" in part])
def test_a_pattern_is_explained_in_a_sentence(part):
    (rule,) = part["x-kubernetes-validations"]
    assert rule["rule"] == f'self.matches(r"{part["pattern"]}")'
    assert rule["message"].startswith("allowed: ")


def test_a_rule_names_only_fields_that_there_are():
    for kind, schema in SCHEMAS.items():
        spec = schema["properties"]["spec"]
        for rule in spec["x-kubernetes-validations"]:
            assert set(re.findall(r"self\.([a-zA-Z]+)", rule["rule"])) <= set(spec["properties"]), (kind, rule)
            assert rule.get("fieldPath", "").lstrip(".") in {"", *spec["properties"]}


def test_kubectl_knows_the_objects_by_short_names_and_one_category():
    names = {kind: crd["spec"]["names"] for kind, crd in CRDS.items()}
    assert {kind: (it["plural"], it["shortNames"], it["categories"]) for kind, it in names.items()} == {
        "DockerHost": ("dockerhosts", ["dh"], ["tinyforge"]),
        "Workload": ("workloads", ["wl"], ["tinyforge"]),
    }
    assert {kind: crd["spec"]["scope"] for kind, crd in CRDS.items()} == {"DockerHost": "Cluster", "Workload": "Namespaced"}


def test_the_status_is_a_subresource():
    assert all(version["subresources"] == {"status": {}} for version in VERSIONS.values())


def test_kubectl_get_prints_fields_that_there_are():
    for kind, version in VERSIONS.items():
        known = {path for path, _ in parts(SCHEMAS[kind])} | {".metadata.creationTimestamp"}
        assert version["additionalPrinterColumns"][-1] | {"jsonPath": ""} == {
            "name": "Trace",
            "type": "string",
            "jsonPath": "",
            "priority": 1,
        }
        for column in version["additionalPrinterColumns"]:
            path = re.sub(r'\[\?\(@\.type=="[A-Z][a-z]+"\)\]', "[]", column["jsonPath"])
            assert path in known, column


def test_the_schema_knows_every_field_that_python_reads_and_no_other():
    host = read_host(docker_host())
    spec = read_workload(workload()).spec
    for kind, model in (("DockerHost", type(host.spec)), ("Workload", type(spec))):
        assert set(SCHEMAS[kind]["properties"]["spec"]["properties"]) == {field.alias for field in model.model_fields.values()}


def test_the_rendered_text_is_the_definitions():
    assert list(yaml.safe_load_all(render_crds())) == custom_resource_definitions()


def test_the_folder_of_crds_holds_what_is_generated():
    folder = Path(__file__).parents[2] / "manifests" / "crds"
    assert {file.name: file.read_text() for file in folder.glob("*.yaml")} == crd_files(), "write them anew: `crd_files()` has their text"
