"""`tinyforge plugins`: what can stand in `spec.source.kind` and `spec.trigger.kind`, where it comes from, and what is wrong with it."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import click

from tinyforge.cli.output import Cell, Table, note, print_json, print_table
from tinyforge.cli.texts import text
from tinyforge.cli.verb import Verb, json_option
from tinyforge.reconcile.plugins import Broken, Loaded, Plugins, PluginType, load_plugins

_TITLES = ("KIND", "TYPE", "FROM", "STATE", "WHY")


class _Installed(NamedTuple):
    type: PluginType
    plugin: Loaded[Any] | Broken


@click.command(
    "plugins",
    cls=Verb,
    examples={"tinyforge plugins": "all of them", "tinyforge plugins --json": "with the schemas of their configs"},
)
@json_option
@click.pass_context
def verb(context: click.Context, *, as_json: bool) -> None:
    """List the installed sources and triggers, and what is broken.

    They are those of this installation: a controller elsewhere has its own. A plugin comes with a Python package that is installed beside
    Tinyforge. Exit code 1 if one cannot be used.
    """
    with redirect_stdout(sys.stderr):  # what a plugin prints while it is imported is no part of the answer
        installed = _listed(load_plugins())
    if as_json:
        print_json([_fact(each) for each in installed])
    else:
        print_table(Table(_TITLES, [_row(each) for each in installed]))
    broken = [f"{each.type} {each.plugin.kind}" for each in installed if isinstance(each.plugin, Broken)]
    if broken:
        note(f"Cannot be used: {', '.join(dict.fromkeys(broken))}.")
        context.exit(1)


def _listed(plugins: Plugins) -> Sequence[_Installed]:
    return [
        *(_Installed(PluginType.SOURCE, each) for each in plugins.sources),
        *(_Installed(PluginType.TRIGGER, each) for each in plugins.triggers),
    ]


def _row(each: _Installed) -> list[Cell]:
    plugin = each.plugin
    state = Cell("broken", "red") if isinstance(plugin, Broken) else Cell("ok", "green")
    return [Cell(plugin.kind), Cell(each.type), Cell(str(plugin.origin)), state, text(_why(plugin))]


def _fact(each: _Installed) -> dict[str, object]:
    plugin = each.plugin
    usable = plugin if isinstance(plugin, Loaded) else None
    return {
        "type": each.type,
        "kind": plugin.kind,
        "distribution": plugin.origin.distribution,
        "version": plugin.origin.version,
        "api": usable and usable.api,
        "ok": usable is not None,
        "reason": _why(plugin),
        "schema": usable and usable.schema,
    }


def _why(plugin: Loaded[Any] | Broken) -> str:
    return plugin.why if isinstance(plugin, Broken) else ""
