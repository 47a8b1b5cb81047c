"""The plugins of this installation, as values: those that can be used, those that cannot, and what a workload gets of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from tinyforge.plugin import Source, Trigger
from tinyforge.reconcile.plugins.configs import read_config
from tinyforge.reconcile.plugins.faults import FaultReason, PluginFault, PluginType, bounded

PluginT = TypeVar("PluginT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The distribution that a plugin came with, as it is installed."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[PluginT]):
    """A plugin that can be used. `schema` is the JSON schema of its config, and not to be changed."""

    kind: str
    origin: Origin
    plugin: PluginT = field(repr=False)
    api: int
    config: type[BaseModel]
    schema: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A plugin that cannot be used; `why` is a sentence with the way out."""

    kind: str
    origin: Origin
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Generic[PluginT]):
    """A plugin and a workload's config, read by the plugin's own model: all that a call needs beside what is seen."""

    plugin: PluginT = field(repr=False)
    config: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Every plugin that a distribution of this installation offers, each by its kind and then its distribution."""

    sources: tuple[Loaded[Source[Any]] | Broken, ...] = ()
    triggers: tuple[Loaded[Trigger[Any]] | Broken, ...] = ()

    def source(self, kind: str, config: Mapping[str, Any]) -> Prepared[Source[Any]] | PluginFault:
        """Return the source `kind` with a workload's `spec.source.config`, or why there is none."""
        return _prepared(self.sources, PluginType.SOURCE, kind, config)

    def trigger(self, kind: str, config: Mapping[str, Any]) -> Prepared[Trigger[Any]] | PluginFault:
        """Return the trigger `kind` with a workload's `spec.trigger.config`, or why there is none."""
        return _prepared(self.triggers, PluginType.TRIGGER, kind, config)

    @property
    def broken(self) -> Iterator[tuple[PluginType, Broken]]:
        """Those that cannot be used: worth a warning at the start, even if no workload names them yet."""
        yield from ((PluginType.SOURCE, each) for each in self.sources if isinstance(each, Broken))
        yield from ((PluginType.TRIGGER, each) for each in self.triggers if isinstance(each, Broken))


def _prepared(
    installed: Sequence[Loaded[PluginT] | Broken], plugin_type: PluginType, kind: str, config: Mapping[str, Any]
) -> Prepared[PluginT] | PluginFault:
    found = next((each for each in installed if each.kind == kind), None)
    if found is None:
        return PluginFault(reason=FaultReason.not_found(plugin_type), message=_not_found(installed, plugin_type, kind))
    name = f'{plugin_type} "{kind}" ({found.origin})'
    if isinstance(found, Broken):
        return PluginFault(reason=FaultReason.broken(plugin_type), message=f"the {name} cannot be used: {found.why}")
    read = read_config(config, model=found.config, schema=found.schema, plugin_type=plugin_type, name=name)
    return read if isinstance(read, PluginFault) else Prepared(plugin=found.plugin, config=read)


def _not_found(installed: Sequence[Loaded[PluginT] | Broken], plugin_type: PluginType, kind: str) -> str:
    usable = ", ".join(each.kind for each in installed if isinstance(each, Loaded)) or "none"
    return (
        f'spec.{plugin_type}.kind: no {plugin_type} "{bounded(kind)}" is installed; installed are: {usable}. '
        "Name one of them, or install the package that offers it beside Tinyforge"
    )
