"""The CustomResourceDefinitions of DockerHost and Workload, made from their models.

`tinyforge crds` prints them, and the folder manifests/crds holds them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from pydantic import BaseModel

from tinyforge.objects.docker_host import DockerHostSpec, DockerHostStatus
from tinyforge.objects.metadata import API_VERSION, GROUP, VERSION, Metadata
from tinyforge.objects.schema import Schema, structural_schema
from tinyforge.objects.workload import WorkloadSpec, WorkloadStatus

_HEADER = "# Made by `tinyforge crds` from controller/tinyforge/objects; edits here are overwritten.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """One kind of object. A column is its title, its type, and where in the object its value is; `trace` is shown by `-o wide` only."""

    kind: str
    short_name: str
    scope: Literal["Cluster", "Namespaced"]
    description: str
    spec: type[BaseModel]
    status: type[BaseModel]
    columns: tuple[tuple[str, str, str], ...]
    trace: str

    @property
    def plural(self) -> str:
        return f"{self.kind.lower()}s"


_READY = (
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason'),
)
_RESOURCES = (
    _Resource(
        kind="DockerHost",
        short_name="dh",
        scope="Cluster",
        description="One Docker Engine that Tinyforge looks after. Every namespace that may use it is named in it.",
        spec=DockerHostSpec,
        status=DockerHostStatus,
        columns=(
            ("Endpoint", "string", ".spec.endpoint"),
            ("Engine", "string", ".status.engine.version"),
            *_READY,
            ("Containers", "integer", ".status.lastPass.listed"),
            ("Last pass", "date", ".status.lastPass.at"),
        ),
        trace=".status.lastPass.traceID",
    ),
    _Resource(
        kind="Workload",
        short_name="wl",
        scope="Namespaced",
        description="What a person deploys on one Docker host: a project, a site or a stack. Its id, everywhere, is <namespace>/<name>.",
        spec=WorkloadSpec,
        status=WorkloadStatus,
        columns=(
            ("Kind", "string", ".spec.kind"),
            ("Host", "string", ".spec.host"),
            ("Containers", "string", ".status.containers.summary"),
            *_READY,
            ("Age", "date", ".metadata.creationTimestamp"),
        ),
        trace=".status.lastDispatch.traceID",
    ),
)


def custom_resource_definitions() -> list[dict[str, Any]]:
    """Return both definitions, as Kubernetes' API (apiextensions.k8s.io/v1) takes them."""
    return [_definition(resource) for resource in _RESOURCES]


def render_crds() -> str:
    """Return both definitions as one YAML text of two documents."""
    return "---\n".join(crd_files().values())


def crd_files() -> Mapping[str, str]:
    """Return what belongs into the folder manifests/crds: a YAML text by the name of its file."""
    return {f"{crd['spec']['names']['plural']}.yaml": _HEADER + _yaml(crd) for crd in custom_resource_definitions()}


def _definition(resource: _Resource) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": resource.scope,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [resource.short_name],
                "categories": ["tinyforge"],
            },
            "versions": [_version(resource)],
        },
    }


def _version(resource: _Resource) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(resource),
        "schema": {"openAPIV3Schema": _schema(resource)},
    }


def _columns(resource: _Resource) -> list[dict[str, Any]]:
    always = [{"name": name, "type": type_, "jsonPath": path} for name, type_, path in resource.columns]
    return [*always, {"name": "Trace", "type": "string", "jsonPath": resource.trace, "priority": 1}]


def _schema(resource: _Resource) -> Schema:
    """Return the schema of a whole object. Of its metadata Kubernetes lets only the name be narrowed, and refuses even a description."""
    return {
        "type": "object",
        "description": resource.description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "maxLength": 64, "description": f"It is {API_VERSION}."},
            "kind": {"type": "string", "maxLength": 63, "description": f"It is {resource.kind}."},
            "metadata": {"type": "object", "properties": {"name": structural_schema(Metadata)["properties"]["name"]}},
            "spec": structural_schema(resource.spec),
            "status": structural_schema(resource.status),
        },
    }


def _yaml(definition: dict[str, Any]) -> str:
    unshared = json.loads(json.dumps(definition))  # or YAML would write what occurs twice as an anchor and an alias
    return yaml.safe_dump(unshared, sort_keys=False, width=120)
