"""`tinyforge explain`: which rule speaks for a container, asked of the running controller, or found out here from a folder of manifests."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from tinyforge.cli import process
from tinyforge.cli.database import UsedDatabase, database_if_any, existing_database, opened_reports
from tinyforge.cli.output import Cell, note, print_facts, print_json
from tinyforge.cli.parameters import Duration, HostName, Words, folder_option
from tinyforge.cli.sync import answered
from tinyforge.cli.texts import moment, text
from tinyforge.cli.verb import Failure, Verb, json_option, start_verb
from tinyforge.domain.requests import RequestKind
from tinyforge.index.reports import ContainerFilter
from tinyforge.index.requests import NobodyLeads, ask
from tinyforge.settings import Settings

_KEYS = ("container", "host", "rule", "outcome", "workload", "row", "reason", "name", "labels")
_STYLES = {"matched": "green", "refused": "red", "displaced": "yellow"}
_MOST_SHOWN = 10

Answer = Mapping[str, Any]
"""`explanations`, each a `tinyforge.reconcile.explain.Explanation` as a mapping, and `failures`, why a host could not be asked, by host."""


@click.command(
    "explain",
    cls=Verb,
    examples={
        "tinyforge explain web-1": "by its name",
        "tinyforge explain 3f2a --host web1": "by the beginning of its id",
        "tinyforge explain web-1 -f FOLDER": "what the manifests in FOLDER would make of it; needs no controller",
    },
)
@click.argument("container", type=Words())
@click.option("--host", type=HostName(), help="Only on this host.")
@folder_option
@click.option("--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait for the controller's answer.")
@json_option
def verb(*, container: str, host: str | None, folder: Path | None, timeout: float, as_json: bool) -> None:
    """Say which rule matched or refused CONTAINER, and why.

    CONTAINER is a name, an id, or the beginning of an id. Exit code 1 if no host has it, if several answer to it, or if nobody is there
    to ask.
    """
    settings = start_verb()
    if folder:
        explanation = _from_folder(container, host or "", folder, settings)
    else:
        with existing_database(settings) as used:
            explanation = process.run(_from_controller(container, host or "", used, timeout))
    if as_json:
        print_json({key: explanation[key] for key in _KEYS})
    else:
        _print(explanation)


async def _from_controller(container: str, host: str, used: UsedDatabase, timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109 - the deadline is the controller's to miss
    try:
        answer = answered(await ask(used.conninfo, kind=RequestKind.EXPLAIN, host=host, argument=container, timeout=timeout))
    except NobodyLeads as error:
        raise Failure(f"{error}, or let `explain -f FOLDER` look by itself") from error
    return await _the_one(answer, container, used)


def _from_folder(container: str, host: str, folder: Path, settings: Settings) -> Mapping[str, Any]:
    from tinyforge.cli.gathering import gather_explanations  # noqa: PLC0415 - brings an HTTP client, which only this way needs

    with ExitStack() as stack:
        database = database_if_any(settings, stack)
        used = database if isinstance(database, UsedDatabase) else None

        async def gather() -> Mapping[str, Any]:
            answer = await gather_explanations(container, host=host, folder=folder, settings=settings, used=used)
            return await _the_one(answer, container, used)

        return process.run(gather())


async def _the_one(answer: Answer, container: str, used: UsedDatabase | None) -> Mapping[str, Any]:
    """Return the one explanation that there has to be.

    Raises:
        Failure: there is none, or there are several.
    """
    silent = [f"host {name} could not be asked: {why}" for name, why in answer["failures"].items()]
    explanations: list[Mapping[str, Any]] = answer["explanations"]
    if len(explanations) == 1:
        note("\n".join(silent))
        return explanations[0]
    if explanations:
        found = [f"{it['container']}  {it['name']}  on host {it['host']}" for it in explanations[:_MOST_SHOWN]]
        raise Failure("\n".join([f"{len(explanations)} containers answer to {container}; say more of it, or --host:", *found]))
    rows = [line async for line in _rows_of(container, used)] if used else []
    raise Failure("\n".join([f"no container of any host that was asked answers to {container}", *silent, *rows]))


async def _rows_of(container: str, used: UsedDatabase) -> AsyncIterator[str]:
    """Yield what the index still knows of a container that nobody has any more."""
    async with opened_reports(used) as reports:
        for fact in await reports.containers(ContainerFilter()):
            if fact["container_id"].startswith(container):
                since = fact["missing_since"] or fact["last_seen_at"]
                yield (
                    f"row {fact['id']} carries the id {fact['container_id'][:12]} on host {fact['host']}: {fact['effective_state']}"
                    + (f" ({fact['reason']})" if fact["reason"] else "")
                    + (f" since {moment(since)}" if since else "")
                )


def _print(explanation: Mapping[str, Any]) -> None:
    print_facts(dict(_facts(explanation)))


def _facts(it: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    yield "container", text(f"{it['container']}  {it['name']}".strip())
    yield "host", text(it["host"])
    yield "outcome", Cell(f"{it['outcome']} by rule {it['rule']}", _STYLES.get(it["outcome"], ""))
    yield "why", text(it["reason"])
    yield "workload", text(it["workload"])
    yield "row", text(it["row"])
    for key, value in it["labels"].items():
        yield f"label {key}", Cell(value)
