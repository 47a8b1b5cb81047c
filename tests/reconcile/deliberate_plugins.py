"""A source and a trigger that do whatever a test wants, since no well-meant plugin can be made to misbehave on demand."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from tinyforge.plugin import Changed, DeploymentIntent, InboundEvent, Seen, Unchanged
from tinyforge.reconcile.plugins import Loaded, Origin, Plugins

KIND = "deliberate"
UNCHANGED = Unchanged()
DEPLOYED = Changed(message="deployed")

Answer = object | Callable[[Any], object]
"""What a call answers, or a function that is given what the plugin sees and returns the answer or what awaits it."""


class Config(BaseModel):
    """A config that a plugin may change under its hands."""

    model_config = ConfigDict(extra="forbid")

    words: list[str] = []


@dataclass
class DeliberateSource:
    """A source; `calls` tells what was asked of it, in order, and `seen` what it was shown the last time."""

    reconciles: Answer = UNCHANGED
    deploys: Answer = DEPLOYED
    tears_down: Answer = UNCHANGED
    calls: list[str] = field(default_factory=list)
    seen: list[Seen[Config]] = field(default_factory=list)
    intents: list[DeploymentIntent] = field(default_factory=list)
    api = 1
    config = Config

    async def reconcile(self, seen: Seen[Config]) -> Any:
        return await self._answer("reconcile", self.reconciles, seen)

    async def deploy(self, seen: Seen[Config], intent: DeploymentIntent) -> Any:
        self.intents.append(intent)
        return await self._answer("deploy", self.deploys, seen)

    async def teardown(self, seen: Seen[Config]) -> Any:
        return await self._answer("teardown", self.tears_down, seen)

    async def _answer(self, call: str, answer: Answer, seen: Seen[Config]) -> Any:
        self.calls.append(call)
        self.seen.append(seen)
        return await answered(answer, seen)


@dataclass
class DeliberateTrigger:
    """A trigger that takes an event for a wish, and wants nothing by itself."""

    checks: Answer = None
    receives: Answer = lambda event: DeploymentIntent(id=event.id, reason="asked for")
    events: list[InboundEvent] = field(default_factory=list)
    api = 1
    config = Config

    async def check(self, seen: Seen[Config]) -> Any:
        return await answered(self.checks, seen)

    async def receive(self, seen: Seen[Config], event: InboundEvent) -> Any:
        self.events.append(event)
        return await answered(self.receives, event)


async def answered(answer: Answer, about: Any) -> Any:
    """What an answer comes to."""
    found = answer(about) if callable(answer) else answer
    return await found if inspect.isawaitable(found) else found


def plugins_of(source: DeliberateSource | None = None, trigger: DeliberateTrigger | None = None) -> Plugins:
    """An installation that has these two and no others."""
    about: dict[str, Any] = {
        "kind": KIND,
        "origin": Origin(distribution="tests", version="1"),
        "api": 1,
        "config": Config,
        "schema": Config.model_json_schema(),
    }
    return Plugins(
        sources=(Loaded(plugin=source or DeliberateSource(), **about),), triggers=(Loaded(plugin=trigger or DeliberateTrigger(), **about),)
    )


class Unspeakable(Exception):
    """An error without words: asking for them raises another one."""

    def __str__(self) -> str:
        raise RuntimeError("no words")
