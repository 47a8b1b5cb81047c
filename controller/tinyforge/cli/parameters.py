"""What may be typed after a verb, and what it means."""

import re
from pathlib import Path
from typing import Any

import click

from tinyforge.settings import parse_duration

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_TRACE = re.compile(r"[0-9a-f]{32}")
_LONGEST_SECONDS = 3600.0


class HostName(click.ParamType[str]):
    """The name of a DockerHost."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it is, if it can be one."""
        if not _LABEL.fullmatch(value):
            self.fail(f"{value!r} is no name of a host: allowed are up to 63 lower-case letters, digits and '-'.", param, ctx)
        return str(value)


class WorkloadId(click.ParamType[str]):
    """The id of a workload, `NAMESPACE/NAME`; a name alone is one of the namespace `default`."""

    name = "workload"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the whole id, if it can be one."""
        namespace, slash, name = value.rpartition("/")
        parts = (namespace if slash else "default", name)
        if not all(map(_LABEL.fullmatch, parts)):
            self.fail(f"{value!r} is no workload: its id is NAMESPACE/NAME, or NAME in the namespace default.", param, ctx)
        return "/".join(parts)


class TraceId(click.ParamType[str]):
    """The id of a trace, as statuses, Events and log lines have it."""

    name = "trace id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id in lower case, if it can be one."""
        if not _TRACE.fullmatch(value.lower()):
            self.fail(f"{value!r} is no trace id: it has 32 hexadecimal digits.", param, ctx)
        return str(value.lower())


class Words(click.ParamType[str]):
    """Printable text that is not empty: a container, a role."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is, if it is one."""
        if not value or not value.isprintable():
            self.fail(f"{value!r} is empty, or no printable text.", param, ctx)
        return str(value)


class Duration(click.ParamType[float]):
    """A length of time, as the settings have it: `30s`, `500ms`, or a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number of seconds."""
        try:
            seconds = float(parse_duration(value))
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)
        if not 0 < seconds <= _LONGEST_SECONDS:
            self.fail(f"{value!r} is not above 0 and at most 1h.", param, ctx)
        return seconds


folder_option = click.option(
    "-f", "--folder", type=click.Path(path_type=Path), help="A folder of manifests: YAML files with DockerHosts and Workloads."
)
