"""The source `external`: somebody else runs the containers. It says where they differ from what is expected, and changes nothing.

It compares, role by role, what the last pass saw with `spec.source.config.roles`. A role that is not named there may be anything, and of a
role that is, whatever is not written down.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from tinyforge.plugin import PLUGIN_API, Container, DeploymentIntent, Failed, Outcome, Seen, Skipped, Unchanged
from tinyforge.sources.images import PATTERN, is_reference, read_image

_MOST_CHARACTERS = 900  # of the message: a condition's has 1,024
_SHOWN_CHARACTERS = 100  # of either end of a role's or image's name in it: a digest stands at the end
_AT_ANY_TIME = 0.0  # nothing but a change of what is seen ends a drift, and that is looked at anyway


def _image(text: str) -> str:
    if not is_reference(text):
        raise ValueError("is no image as Docker writes it: nginx, nginx:1.27, registry.example.com/team/app@sha256:…, or an id, sha256:…")
    return text


Replicas = Annotated[StrictInt, Field(ge=0, le=10_000, description="How many of them run.")]
Image = Annotated[
    StrictStr,
    Field(
        max_length=512,
        json_schema_extra={"pattern": PATTERN},
        description="What each of them, running or not, is made from: a name with a tag (latest, if none is written), a name with a "
        "digest, or an image's id.",
    ),
    AfterValidator(_image),
]
Ports = Annotated[
    tuple[Annotated[StrictInt, Field(ge=1, le=65535)], ...],
    Field(
        max_length=64,
        description="The private ports of each that runs; an empty list for none. Only the lowest is compared: of a container's ports the "
        "index knows no other.",
    ),
]
RoleName = Annotated[str, Field(max_length=255)]  # the longest that a row may have (rule M10)


class ExpectedRole(BaseModel):
    """What is expected of the containers of one role; what is not written may be anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    replicas: Replicas | None = None
    image: Image | None = None
    ports: Ports | None = None


class ExternalConfig(BaseModel):
    """What is expected of a workload that somebody else runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: Annotated[
        dict[RoleName, ExpectedRole],
        Field(max_length=256, description='What is expected, by role; "" is the role of containers without one. By default nothing.'),
    ] = Field(default_factory=dict)


class ExternalSource:
    """Compares, adopts nothing, changes nothing."""

    api = PLUGIN_API
    config = ExternalConfig

    async def reconcile(self, seen: Seen[ExternalConfig]) -> Outcome:
        """Say what differs from what is expected."""
        found = differences(seen.config.roles, seen.containers)
        if not found:
            return Unchanged()
        return Failed(reason="Drift", message=_bounded(found), retry_after=_AT_ANY_TIME)

    async def deploy(self, seen: Seen[ExternalConfig], intent: DeploymentIntent) -> Outcome:
        """Deploy nothing."""
        return Skipped(reason="ExternallyManaged", message="whoever runs these containers deploys them; Tinyforge only looks at them")

    async def teardown(self, seen: Seen[ExternalConfig]) -> Outcome:
        """Take nothing down: it put nothing up."""
        return Unchanged()


def differences(expected: Mapping[str, ExpectedRole], containers: Iterable[Container]) -> tuple[str, ...]:
    """Return every difference between what is expected and what is there, each as a sentence, role by role."""
    there = tuple(containers)
    return tuple(
        f"{f'role {_shown(name)}' if name else 'containers without a role'}: {difference}"
        for name, role in expected.items()
        for difference in _differences(role, [each for each in there if each.role == name and each.state != "missing"])
    )


def _differences(role: ExpectedRole, present: Sequence[Container]) -> Iterator[str]:
    running = [each for each in present if each.state == "running"]
    if role.replicas is not None and role.replicas != len(running):
        yield _of_replicas(role.replicas, len(running))
    if role.image is not None:
        yield from _of_images(role.image, present)
    if role.ports is not None:
        yield from _of_ports(min(role.ports, default=0), running)


def _of_replicas(expected: int, running: int) -> str:
    return f"{running} of {expected} replicas run" if running < expected else f"{running} replicas run, {expected} expected"


def _of_images(expected: str, present: Sequence[Container]) -> Iterator[str]:
    wanted = read_image(expected)
    for image, count in sorted(Counter(each.image for each in present).items()):
        if not read_image(image).satisfies(wanted):
            yield f"the image of {_counted(count)} is {_shown(image)}, expected {_shown(expected)}"


def _of_ports(expected: int, running: Sequence[Container]) -> Iterator[str]:
    for port, count in sorted(Counter(each.port for each in running).items()):
        if port != expected:
            yield f"the lowest port of {_counted(count)} is {port or 'none'}, expected {expected or 'none'}"


def _counted(count: int) -> str:
    return "1 container" if count == 1 else f"{count} containers"


def _bounded(sentences: Sequence[str]) -> str:
    """Join sentences as long as there is room, and count the rest."""
    joined = sentences[0]
    for at, sentence in enumerate(sentences[1:], start=1):
        if len(joined) + len(sentence) > _MOST_CHARACTERS:
            return f"{joined}; and {len(sentences) - at} more"
        joined = f"{joined}; {sentence}"
    return joined


def _shown(text: str) -> str:
    """Return foreign text on one line, without control characters; of a long one both ends."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown if len(shown) <= 2 * _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…{shown[-_SHOWN_CHARACTERS:]}"
