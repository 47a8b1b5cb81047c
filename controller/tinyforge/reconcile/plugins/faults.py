"""Why a workload cannot be handed to its plugin, and how an error of a plugin is told. The reasons are for scripts and never change."""

from dataclasses import dataclass
from enum import StrEnum

from tinyforge.domain.texts import printable
from tinyforge.reconcile.plugins.hiding import without_values

_MOST_CHARACTERS = 300


class PluginType(StrEnum):
    """What a plugin is for, in the words of `spec`."""

    SOURCE = "source"
    TRIGGER = "trigger"


class FaultReason(StrEnum):
    """Why a workload cannot be handed to its plugin: reasons of its condition."""

    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_BROKEN = "SourceBroken"
    TRIGGER_NOT_FOUND = "TriggerNotFound"
    TRIGGER_BROKEN = "TriggerBroken"
    CONFIG_INVALID = "ConfigInvalid"

    @classmethod
    def not_found(cls, plugin_type: PluginType) -> "FaultReason":
        """Return the reason for a kind that nobody offers."""
        return cls.SOURCE_NOT_FOUND if plugin_type is PluginType.SOURCE else cls.TRIGGER_NOT_FOUND

    @classmethod
    def broken(cls, plugin_type: PluginType) -> "FaultReason":
        """Return the reason for a plugin that cannot be used."""
        return cls.SOURCE_BROKEN if plugin_type is PluginType.SOURCE else cls.TRIGGER_BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFault:
    """Why a workload cannot be handed to its plugin. `message` names the plugin, the field and the way out, and no value of a config."""

    reason: FaultReason
    message: str


def told(error: BaseException, *hidden: object) -> str:
    """Return an error of a plugin in one short line: its class, and its text if it has one, without what stands in these configs."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a plugin's own error class, so its text is a plugin's code too
        text = ""
    return bounded(f"{type(error).__name__}: {without_values(text, *hidden)}".removesuffix(": "))


def bounded(text: str) -> str:
    """Return foreign text fit for a sentence: on one line, without anything unprintable, at most 300 characters of it."""
    return printable(text, _MOST_CHARACTERS)
