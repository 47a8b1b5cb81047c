"""The object DockerHost: one Docker Engine that Tinyforge looks after."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, ValidationInfo, field_validator

from tinyforge.domain.endpoints import Endpoint
from tinyforge.domain.hosts import Host
from tinyforge.objects.conditions import Conditions, ObservedGeneration, TraceID
from tinyforge.objects.endpoint_rule import ENDPOINT_RULE
from tinyforge.objects.fields import LabelOrStar, Part, Subdomain, Visible
from tinyforge.objects.metadata import Metadata

_KEYS = {"tls": "ca.crt, tls.crt and tls.key", "ssh": "ssh-privatekey and known_hosts"}  # that a Secret has to hold
_RULES: dict[str, Any] = {
    "x-kubernetes-validations": [
        {
            "rule": f"!self.endpoint.startsWith('{scheme}://') || has(self.{field})",
            "message": f"{scheme}:// needs {field}.secretRef.name, the Secret with {_KEYS[field]}",
            "fieldPath": f".{field}",
            "reason": "FieldValueRequired",
        }
        for scheme, field in (("tcp", "tls"), ("ssh", "ssh"))
    ]
}
_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}


def _parsed(text: str) -> str:
    Endpoint.parse(text)
    return text


class SecretRef(Part):
    """Which Secret: the operator looks in its own namespace, standalone in a folder of that name under `TINYFORGE_SECRETS`."""

    name: Annotated[Subdomain, Field(description="The Secret's name. It holds keys, so nothing of it is ever shown.")]


class Credentials(Part):
    """Where the credentials for one way of connecting are."""

    secret_ref: Annotated[
        SecretRef, Field(description="The Secret in the operator's own namespace (standalone: a folder of TINYFORGE_SECRETS).")
    ]


class DockerHostSpec(Part):
    """What somebody wants of a host."""

    model_config = ConfigDict(json_schema_extra=_RULES)

    endpoint: Annotated[
        str,
        Field(
            max_length=512,
            json_schema_extra=ENDPOINT_RULE,
            description="Where the engine answers: unix:///path, tcp://host:port (with TLS) or ssh://user@host.",
        ),
        AfterValidator(_parsed),
    ]
    tls: Annotated[
        Credentials | None,
        Field(
            validate_default=True,
            description="For tcp://: a Secret with ca.crt, tls.crt and tls.key. The engine's certificate is verified.",
        ),
    ] = None
    ssh: Annotated[
        Credentials | None,
        Field(
            validate_default=True, description="For ssh://: a Secret with ssh-privatekey and known_hosts. The machine's key is verified."
        ),
    ] = None
    suspend: Annotated[StrictBool, Field(description="Leave the engine alone: no pass is made, what it runs reads as unknown.")] = False
    acknowledged_engine_id: Annotated[
        Visible,
        Field(
            alias="acknowledgedEngineID",
            description="The id of the engine that may answer here from now on. Needed once another engine than before answers.",
        ),
    ] = ""
    allowed_namespaces: Annotated[
        tuple[LabelOrStar, ...],
        Field(
            max_length=256,
            json_schema_extra=_SET,
            description="The namespaces whose workloads may use this host; '*' means all. By default none may.",
        ),
    ] = ()

    @field_validator("allowed_namespaces")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for index, namespace in enumerate(value):
            if namespace in value[:index]:
                raise ValueError(f"{namespace} is given twice; give every namespace once")
        return value

    @field_validator("tls", "ssh")
    @classmethod
    def _needed(cls, value: Credentials | None, info: ValidationInfo) -> Credentials | None:
        field = str(info.field_name)
        scheme = "tcp" if field == "tls" else "ssh"
        if value is None and info.data.get("endpoint", "").startswith(f"{scheme}://"):
            raise ValueError(f"{scheme}:// needs spec.{field}.secretRef.name, the Secret with {_KEYS[field]}")
        return value


class EngineStatus(Part):
    """Who answers at the endpoint."""

    id: Annotated[str, Field(max_length=255, description="The engine's own id; another one under the same name stops the passes.")] = ""
    version: Annotated[str, Field(max_length=64, description="The engine's version.")] = ""
    api_version: Annotated[str, Field(max_length=16, description="The version of its API that is spoken with it.")] = ""


class LastPass(Part):
    """What the last pass found. While the host does not answer, the counts are those of the last complete pass."""

    at: Annotated[AwareDatetime, Field(description="When its list was asked for.")]
    duration_seconds: Annotated[StrictFloat, Field(ge=0, description="How long it took, from sending the list to the commit.")]
    outcome: Annotated[Literal["unchanged", "changed", "failed", "skipped"], Field(description="How it ended.")]
    listed: Annotated[StrictInt, Field(ge=0, description="Containers the engine has, running and stopped.")]
    matched: Annotated[StrictInt, Field(ge=0, description="Containers that belong to a workload.")]
    ignored: Annotated[StrictInt, Field(ge=0, description="Containers that belong to none, or that were refused or displaced.")]
    written: Annotated[StrictInt, Field(ge=0, description="Rows of the index inserted or updated.")]
    missing: Annotated[StrictInt, Field(ge=0, description="Rows that this pass turned missing.")]
    trace_id: TraceID = ""


class DockerHostStatus(Part):
    """What is true of a host."""

    conditions: Conditions = ()
    engine: Annotated[EngineStatus | None, Field(description="Who answers at the endpoint.")] = None
    last_pass: Annotated[LastPass | None, Field(description="What the last pass found.")] = None
    observed_generation: ObservedGeneration = 0


class DockerHost(Part):
    """A DockerHost as somebody wrote it. Its status is Tinyforge's own to write and never read from here."""

    api_version: Annotated[Literal["tinyforge.dev/v1alpha1"], Field(description="It is tinyforge.dev/v1alpha1.")]
    kind: Annotated[Literal["DockerHost"], Field(description="It is DockerHost.")]
    metadata: Metadata
    spec: DockerHostSpec
    status: Annotated[Any, Field(repr=False)] = None

    @property
    def id(self) -> str:
        """The host's name, which no other host has."""
        return self.metadata.name

    def to_host(self) -> Host:
        """Return the host as the domain knows it."""
        spec = self.spec
        return Host(
            name=self.metadata.name,
            endpoint=spec.endpoint,
            tls_secret=spec.tls.secret_ref.name if spec.tls else "",
            ssh_secret=spec.ssh.secret_ref.name if spec.ssh else "",
            suspended=spec.suspend,
            acknowledged_engine_id=spec.acknowledged_engine_id,
            allowed_namespaces=spec.allowed_namespaces,
        )
