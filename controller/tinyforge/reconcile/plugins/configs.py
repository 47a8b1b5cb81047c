"""A workload's config as its plugin's own model reads it, or what is wrong with it, field by field.

A config may hold what is nobody else's business, so no value of it is ever repeated: pydantic's own sentences hold none but in a few odd
cases, and a sentence of a plugin's validator may hold any, so what stands in the config is taken out of them all.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tinyforge.objects.faults import dotted
from tinyforge.reconcile.plugins.faults import FaultReason, PluginFault, PluginType, bounded
from tinyforge.reconcile.plugins.hiding import without_values
from tinyforge.reconcile.plugins.schemas import Schema, fields_at, schema_at

_MOST_FAULTS = 5  # as many as a condition has room for


def read_config(
    config: Mapping[str, Any], *, model: type[BaseModel], schema: Schema, plugin_type: PluginType, name: str
) -> BaseModel | PluginFault:
    """Return `config` as `model` reads it, or what is wrong with it.

    The model is given JSON, which is what the config was written as: a strict model takes a list for a tuple and a text for a time then,
    and what it makes shares nothing with `config`.

    Args:
        config: what is written, as JSON.
        model: the plugin's model.
        schema: the model's JSON schema, for what is known where.
        plugin_type: whether it is `spec.source.config` or `spec.trigger.config`.
        name: the plugin, as a sentence names it.
    """
    place = ("spec", plugin_type, "config")
    try:
        return model.model_validate_json(json.dumps(config))
    except ValidationError as error:
        return PluginFault(reason=FaultReason.CONFIG_INVALID, message=f"the {name} refuses {_sentence(error, schema, place)}")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin's own validators; its text may hold anything of the config
        message = (
            f"the {name} cannot read {dotted(place)}: its model raised {bounded(type(error).__name__)}, which is a fault of the plugin"
        )
        return PluginFault(reason=FaultReason.broken(plugin_type), message=message)


def _sentence(error: ValidationError, schema: Schema, place: Sequence[str]) -> str:
    details = error.errors(include_url=False)
    faults = [f"{dotted((*place, *_path(detail)))}: {_fault(detail, schema)}" for detail in details[:_MOST_FAULTS]]
    more = [f"and {len(details) - _MOST_FAULTS} more faults"] if len(details) > _MOST_FAULTS else []
    return "; ".join([*faults, *more])


def _path(detail: ErrorDetails) -> tuple[str | int, ...]:
    path = detail["loc"]
    return path[:-1] if path[-1:] == ("[key]",) else path  # pydantic's word for: the name is at fault, not what it stands for


def _fault(detail: ErrorDetails, schema: Schema) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return f"no such field; known here: {', '.join(fields_at(schema, detail['loc'][:-1])) or 'none'}"
        case "missing":
            return f"is missing: {schema_at(schema, detail['loc']).get('description', 'give it a value')}"
        case "value_error" | "assertion_error":
            text = detail["msg"].partition(", ")[2]
        case _:
            text = detail["msg"].removeprefix("Input ")
    return bounded(without_values(text, detail["input"]))
