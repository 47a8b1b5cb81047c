"""`tinyforge settings`: what can be set, and how it is."""

from typing import Any

import click
from pydantic import BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from tinyforge.cli.output import Cell, Table, print_json, print_table
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.settings import PREFIX, Settings, parse_duration, parse_size

_TITLES = ("SETTING", "VALUE", "FROM", "WHAT IT IS")
_HIDDEN = "(hidden)"


@click.command(
    "settings",
    cls=Verb,
    examples={"tinyforge settings": "all of them", "TINYFORGE_INTERVAL=10s tinyforge settings": "what a variable changes"},
)
@json_option
def verb(*, as_json: bool) -> None:
    """Show the settings, their values, and where each comes from.

    That is the environment, or the default. Secrets are hidden. With --json durations are numbers of seconds, and sizes numbers of bytes.
    """
    settings = start_verb()
    if as_json:
        print_json([_fact(settings, name, field) for name, field in Settings.model_fields.items()])
    else:
        print_table(Table(_TITLES, [_row(settings, name, field) for name, field in Settings.model_fields.items()]))


def _fact(settings: Settings, name: str, field: FieldInfo) -> dict[str, Any]:
    value = getattr(settings, name)
    return {
        "name": f"{PREFIX}{name.upper()}",
        "value": value if isinstance(value, int | float | None) else _words(value, field),
        "source": _source(settings, name),
        "description": field.description,
    }


def _row(settings: Settings, name: str, field: FieldInfo) -> list[Cell]:
    source = _source(settings, name)
    words = _words(getattr(settings, name), field)
    return [
        Cell(f"{PREFIX}{name.upper()}"),
        Cell(words, "bold" if source != "default" else ""),
        Cell(source),
        Cell(field.description or ""),
    ]


def _source(settings: Settings, name: str) -> str:
    return "environment" if name in settings.model_fields_set else "default"


def _words(value: object, field: FieldInfo) -> str:
    if isinstance(value, SecretStr):
        return _HIDDEN
    if value is None:
        return "-"
    parsers = [each.func for each in field.metadata if isinstance(each, BeforeValidator)]
    if parse_duration in parsers and isinstance(value, float):
        return _in_units(value, {"d": 86400, "h": 3600, "m": 60, "s": 1}) or f"{value * 1000:g}ms"
    if parse_size in parsers and isinstance(value, int):
        return _in_units(value, {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10}) or f"{value}B"
    return str(value)


def _in_units(value: float, units: dict[str, int]) -> str:
    """Return a value in the largest unit that it is a whole number of, or nothing."""
    return next((f"{value / length:g}{unit}" for unit, length in units.items() if value and value % length == 0), "" if value else "0")
