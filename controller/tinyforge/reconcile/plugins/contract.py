"""Whether what a package offers keeps the contract of `tinyforge.plugin`: looked at once, when it is loaded.

What is asked is read off the protocols themselves, so that it is written down once. Everything here touches a plugin's own attributes, so
any of it may raise anything: the caller is ready for that.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from tinyforge.plugin import PLUGIN_API, Source, Trigger
from tinyforge.reconcile.plugins.faults import PluginType, told
from tinyforge.reconcile.plugins.schemas import Schema

_CONTRACTS: Mapping[PluginType, object] = {PluginType.SOURCE: Source, PluginType.TRIGGER: Trigger}


def breach(plugin: object, plugin_type: PluginType) -> str:
    """Return how `plugin` breaks the contract of its type, in a sentence with the way out; empty if it keeps it."""
    return _breach_of_api(plugin) or _breach_of_methods(plugin, plugin_type) or _breach_of_config(plugin)


def config_schema(model: type[BaseModel]) -> Schema:
    """Return the JSON schema of a config.

    Raises:
        TypeError: it holds something that JSON has no word for.
        Exception: pydantic's, or whatever the plugin's own hooks raise.
    """
    schema = model.model_json_schema()
    json.dumps(schema)
    return schema


def _breach_of_api(plugin: object) -> str:
    api = getattr(plugin, "api", None)
    if type(api) is not int:
        return "it does not say by `api` which contract it was written for: set `api = 1`, not `PLUGIN_API`, which would always agree"
    if api != PLUGIN_API:
        return f"it was written for plugin API {api}, this Tinyforge speaks {PLUGIN_API}: install a version of it that was written for that"
    return ""


def _breach_of_methods(plugin: object, plugin_type: PluginType) -> str:
    asked = {name: method for name, method in vars(_CONTRACTS[plugin_type]).items() if inspect.iscoroutinefunction(method)}
    breaches = (_breach_of_method(plugin, name, method) for name, method in asked.items())
    return next(filter(None, breaches), "")


def _breach_of_method(plugin: object, name: str, asked: Callable[..., Any]) -> str:
    method = getattr(plugin, name, None)
    if method is None:
        return f"it has no method {name}"
    if not inspect.iscoroutinefunction(method):
        return f"its {name} is no coroutine function: write `async def {name}`"
    _self, *parameters = inspect.signature(asked).parameters
    try:
        inspect.signature(method).bind(*parameters)
    except TypeError:
        return f"its {name} cannot be called as {name}({', '.join(parameters)})"
    return ""


def _breach_of_config(plugin: object) -> str:
    config = getattr(plugin, "config", None)
    if not (isinstance(config, type) and issubclass(config, BaseModel)):
        return "its `config` is no class of pydantic models: set it to a subclass of pydantic.BaseModel"
    try:
        config_schema(config)
    except Exception as error:  # noqa: BLE001 - a plugin's own hooks
        return f"its config has no JSON schema: {told(error)}"
    return ""
