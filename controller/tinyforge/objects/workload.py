"""The object Workload: what a person deploys on one host."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StrictBool, StrictInt, ValidationInfo, field_validator

from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.workloads import Kind
from tinyforge.domain.workloads import Workload as Key
from tinyforge.objects.conditions import Conditions, ObservedGeneration, TraceID
from tinyforge.objects.config import Config
from tinyforge.objects.fields import Domain, Label, Matching, Part, UrlPath, Visible
from tinyforge.objects.metadata import DEFAULT_NAMESPACE, NamespacedMetadata

PROJECT_PREFIX = "tinyforge-"
_PROJECT_LENGTH = len(PROJECT_PREFIX) + 63 + len("_") + 63  # the longest default there can be

_KIND_STAYS: dict[str, Any] = {
    "x-kubernetes-validations": [
        {
            "rule": "self == oldSelf",
            "message": "a workload's kind never changes: delete it and write it anew",
            "reason": "FieldValueForbidden",
        }
    ]
}
_FACES_DIFFER: dict[str, Any] = {
    "x-kubernetes-validations": [
        {
            "rule": "self.all(one, self.exists_one(other, other.domain == one.domain && "
            "(has(other.path) ? other.path : '/') == (has(one.path) ? one.path : '/')))",
            "message": "every face has a domain and a path that no other has",
        }
    ]
}
_RULES: dict[str, Any] = {
    "x-kubernetes-validations": [
        {
            "rule": "!has(self.ref) || self.kind == 'site'",
            "message": "ref is for kind site only",
            "fieldPath": ".ref",
            "reason": "FieldValueForbidden",
        },
        {
            "rule": "!has(self.composeProject) || self.kind == 'stack'",
            "message": "composeProject is for kind stack only",
            "fieldPath": ".composeProject",
            "reason": "FieldValueForbidden",
        },
        {
            "rule": f"!has(self.composeProject) || self.composeProject.startsWith('{PROJECT_PREFIX}')",
            "message": f"composeProject begins with {PROJECT_PREFIX}",
            "fieldPath": ".composeProject",
        },
    ]
}


class Plugin(Part):
    """Which plugin does a piece of the work, and how."""

    kind: Annotated[Label, Field(description="The plugin's name; `tinyforge plugins` lists those there are.")]
    config: Annotated[
        Config, Field(description="The plugin's own settings, at most 64 KiB and 20 levels deep. Never a secret: name one.")
    ] = Field(default_factory=dict)


class Face(Part):
    """One address under which the public reaches a workload."""

    domain: Annotated[Domain, Field(description="The domain, in lower case, as app.example.com.")]
    path: Annotated[UrlPath, Field(description="The path below which requests are meant; '/' by default.")] = "/"
    port: Annotated[StrictInt, Field(ge=1, le=65535, description="The container's port; by default its lowest.")] | None = None
    role: Annotated[Visible, Field(description="The role of the containers that answer; by default those without one.")] = ""

    def to_json(self) -> dict[str, str | int]:
        """Return the face as the index stores it; port 0 means the container's lowest."""
        return {"domain": self.domain, "path": self.path, "port": self.port or 0, "role": self.role}


class WorkloadSpec(Part):
    """What somebody wants of a workload."""

    model_config = ConfigDict(json_schema_extra=_RULES)

    kind: Annotated[
        Kind, Field(json_schema_extra=_KIND_STAYS, description="What sort of thing it is: project, site or stack. It never changes.")
    ]
    host: Annotated[Label, Field(description="The DockerHost it runs on.")]
    ref: Annotated[
        Visible,
        Field(
            description="Kind site only: what the label tinyforge.static-site says on its container. "
            "By default the name in namespace default, elsewhere <namespace>/<name>."
        ),
    ] = ""
    compose_project: Annotated[
        str,
        Field(
            max_length=_PROJECT_LENGTH,
            description="Kind stack only: the Compose project of its containers, beginning with tinyforge-. "
            "By default tinyforge-<namespace>_<name>.",
        ),
        Matching(r"[a-z0-9][a-z0-9_-]*", "tinyforge- and then lower-case letters, digits, '-' and '_'"),
    ] = ""
    group: Annotated[Label, Field(description="What it is shown together with.")] = ""
    parent: Annotated[Label, Field(description="The Workload of the same namespace that it belongs to.")] = ""
    source: Annotated[Plugin | None, Field(description="What deploys it.")] = None
    trigger: Annotated[Plugin | None, Field(description="What asks for a deployment.")] = None
    faces: Annotated[
        tuple[Face, ...],
        Field(max_length=64, json_schema_extra=_FACES_DIFFER, description="The addresses under which the public reaches it."),
    ] = ()
    suspend: Annotated[StrictBool, Field(description="Deploy nothing; its containers are watched all the same.")] = False

    @field_validator("faces")
    @classmethod
    def _different(cls, value: tuple[Face, ...]) -> tuple[Face, ...]:
        places = [f"{face.domain}{face.path}" for face in value]
        for index, place in enumerate(places):
            if place in places[:index]:
                raise ValueError(f"{place} is given twice; every face has a domain and a path that no other has")
        return value

    @field_validator("ref", "compose_project")
    @classmethod
    def _of_its_kind(cls, value: str, info: ValidationInfo) -> str:
        kind = Kind.SITE if info.field_name == "ref" else Kind.STACK
        written = info.data.get("kind", kind)
        if written is not kind:
            raise ValueError(f"is for kind {kind} only, and this is a {written}; take it out")
        return value

    @field_validator("compose_project")
    @classmethod
    def _prefixed(cls, value: str) -> str:
        if not value.startswith(PROJECT_PREFIX):
            raise ValueError(f"a Compose project of Tinyforge begins with {PROJECT_PREFIX}, so this one could be {PROJECT_PREFIX}{value}")
        return value


class ContainerCounts(Part):
    """How its containers are, as the view container_status counts them."""

    total: Annotated[StrictInt, Field(ge=0, description="All that are counted.")]
    running: Annotated[StrictInt, Field(ge=0, description="Those that run.")]
    stopped: Annotated[StrictInt, Field(ge=0, description="Those that have ended.")]
    missing: Annotated[StrictInt, Field(ge=0, description="Those that the host no longer has.")]
    unknown: Annotated[StrictInt, Field(ge=0, description="Those of which nobody can say now.")]
    other: Annotated[StrictInt, Field(ge=0, description="Those in any other state.")]
    summary: Annotated[str, Field(max_length=64, description="The counts in short, as 2/3 running.")]


class LastDispatch(Part):
    """The dispatch that brought the present outcome and reason; nothing in it moves while nothing changes."""

    at: Annotated[AwareDatetime, Field(description="When it began.")]
    outcome: Annotated[Literal["unchanged", "changed", "failed", "skipped"], Field(description="How it ended.")]
    reason: Annotated[str, Field(max_length=128, description="Why, in one word.")] = ""
    trace_id: TraceID = ""


class WorkloadStatus(Part):
    """What is true of a workload."""

    conditions: Conditions = ()
    containers: Annotated[ContainerCounts | None, Field(description="How its containers are.")] = None
    last_dispatch: Annotated[LastDispatch | None, Field(description="The dispatch that brought the present outcome.")] = None
    observed_generation: ObservedGeneration = 0


class Workload(Part):
    """A Workload as somebody wrote it. Its status is Tinyforge's own to write and never read from here."""

    api_version: Annotated[Literal["tinyforge.dev/v1alpha1"], Field(description="It is tinyforge.dev/v1alpha1.")]
    kind: Annotated[Literal["Workload"], Field(description="It is Workload.")]
    metadata: NamespacedMetadata
    spec: WorkloadSpec
    status: Annotated[Any, Field(repr=False)] = None

    @property
    def id(self) -> str:
        """`<namespace>/<name>`, which no other workload has."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    def to_declared(self) -> DeclaredWorkload:
        """Return the workload as the domain knows it, with what was left out filled in."""
        spec = self.spec
        return DeclaredWorkload(
            key=Key(id=self.id, kind=spec.kind, host=spec.host, ref=self._ref(), compose_project=self._compose_project()),
            group_id=spec.group,
            parent_id=f"{self.metadata.namespace}/{spec.parent}" if spec.parent else "",
            source_kind=spec.source.kind if spec.source else "",
            source_config=spec.source.config if spec.source else {},
            trigger_kind=spec.trigger.kind if spec.trigger else "",
            trigger_config=spec.trigger.config if spec.trigger else {},
            public_faces=tuple(face.to_json() for face in spec.faces),
            suspended=spec.suspend,
        )

    def _ref(self) -> str:
        if self.spec.kind is not Kind.SITE:
            return ""
        return self.spec.ref or (self.metadata.name if self.metadata.namespace == DEFAULT_NAMESPACE else self.id)

    def _compose_project(self) -> str:
        if self.spec.kind is not Kind.STACK:
            return ""
        return self.spec.compose_project or f"{PROJECT_PREFIX}{self.metadata.namespace}_{self.metadata.name}"
