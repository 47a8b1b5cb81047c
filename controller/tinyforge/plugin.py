"""The public contract of plugins: what a source or a trigger is given, and what it answers. Nothing else of Tinyforge is meant for them.

A *source* knows how one kind of deployment is done, a *trigger* what makes one happen. A package offers them as entry points, under the
name that people write into `spec.source.kind` or `spec.trigger.kind`:

    [project.entry-points."tinyforge.sources"]
    nightly = "my_package:NightlySource"

What is loaded is called without arguments and has to be a `Source` or a `Trigger`. Every call gets values and returns a value: a plugin
keeps nothing between two calls, may be called again for the same thing after a restart or a change of leader, and is cancelled when its
time is over. What it raises counts as failed, and concerns its one workload only.

All plugins share one event loop with the rest of Tinyforge. One that blocks it stops the passes of every host, so whatever waits or takes
longer than a moment is awaited, or is done in a thread. `tinyforge.testing` has the tests that every plugin has to pass, and finds one
that blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

PLUGIN_API = 1
"""The version of this contract. A plugin says by the number in `api` which one it was written for, and is refused under another."""

ConfigT = TypeVar("ConfigT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFace:
    """One address under which the public reaches a workload; `port` 0 means the container's lowest."""

    domain: str
    path: str = "/"
    port: int = 0
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload as it is declared. `id` is `<namespace>/<name>`; `ref` is set for sites only, `compose_project` for stacks only."""

    id: str
    kind: Literal["project", "site", "stack"]
    host: str
    ref: str = ""
    compose_project: str = ""
    group: str = ""
    parent: str = ""
    faces: tuple[PublicFace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of the workload, as the last complete pass saw it.

    `state` is Docker's (`running`, `stopped`, `created`, `restarting`, `paused`, `removing`), or `missing` if its host no longer has it;
    `unknown`, for a teardown only, if the host is away.
    `image` is what the container was made from, as Docker's list says it; `port` its lowest private port, 0 if it shows none.
    """

    row: str
    container_id: str
    role: str
    image: str
    state: str
    port: int


@dataclass(frozen=True, kw_only=True)  # with slots Python 3.11 could not make a Seen[Config](...)
class Seen(Generic[ConfigT]):
    """What a plugin looks at: the workload, the plugin's own part of the spec, and what runs.

    `containers` are those that count for the workload's status, in the order of their rows. `as_of` is when they were listed; a plugin is
    asked only while the host answers, so that is now, give or take an interval; for a teardown it may be longer ago.
    """

    workload: Workload
    config: ConfigT = field(repr=False)
    containers: tuple[Container, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """Something that reached Tinyforge from outside: a person's `tinyforge deploy`, later a webhook.

    `id` names it for ever: a plugin that is told of it twice can tell. `kind` is `manual`; `sender` and everything in `body` is untrusted.
    """

    id: str
    kind: str
    sender: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentIntent:
    """A trigger's word that a deployment is wanted. `id` names it for ever; `reason` is a sentence for people."""

    id: str
    reason: str
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """All is as it should be, and nothing had to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Something was done, and all is now as it should be; `message` says what."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """All is not as it should be.

    `reason` is one CamelCase word that scripts can rely on, `message` a sentence with the way out. `retry_after` is in how many seconds
    trying again may help, at the earliest; None means that only a change of the spec can.
    """

    reason: str
    message: str
    retry_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """There was nothing for this plugin to do, which is no failure; `reason` and `message` as in `Failed`."""

    reason: str
    message: str


Outcome = Unchanged | Changed | Failed | Skipped


class Source(Protocol[ConfigT]):
    """How one kind of deployment is done."""

    api: int
    """The contract it was written for: `api = 1`, the number. Not `PLUGIN_API`: that agrees with every Tinyforge, whatever has changed."""
    config: type[ConfigT]
    """The model of `spec.source.config`; a config that it refuses is a condition of the workload and never reaches the source."""

    async def reconcile(self, seen: Seen[ConfigT]) -> Outcome:
        """Bring what runs in line with what is wanted, or say what differs. Called on the dispatch timer and after changes."""
        ...

    async def deploy(self, seen: Seen[ConfigT], intent: DeploymentIntent) -> Outcome:
        """Carry out a deployment that a trigger asks for. It may be asked for again under the same `intent.id`."""
        ...

    async def teardown(self, seen: Seen[ConfigT]) -> Outcome:
        """Take down what this source put up, since the workload is no longer declared. Its host may be away: states read `unknown` then.

        After `Failed` it is asked again, and the workload stays until then; with no `retry_after` the workload goes, and the log says so.
        """
        ...


class Trigger(Protocol[ConfigT]):
    """What makes a deployment happen."""

    api: int
    """The contract it was written for: `api = 1`, the number. Not `PLUGIN_API`: that agrees with every Tinyforge, whatever has changed."""
    config: type[ConfigT]
    """The model of `spec.trigger.config`."""

    async def check(self, seen: Seen[ConfigT]) -> DeploymentIntent | None:
        """Look whether a deployment is wanted now. Called before each reconcile."""
        ...

    async def receive(self, seen: Seen[ConfigT], event: InboundEvent) -> DeploymentIntent | Skipped:
        """Make an intent of something that reached Tinyforge, or say why it means nothing to this trigger."""
        ...
