"""`tinyforge forget`: the way to acknowledge that something was taken out for good."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from tinyforge.cli import process
from tinyforge.cli.database import existing_database
from tinyforge.cli.output import note, plain, print_json
from tinyforge.cli.parameters import Duration, Words, WorkloadId
from tinyforge.cli.sync import answered
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.domain.requests import RequestKind
from tinyforge.index.requests import ask


@click.command(
    "forget",
    cls=Verb,
    examples={
        "tinyforge forget shop": "all that default/shop has not any more",
        "tinyforge forget team/shop --role worker": "only its service worker",
    },
)
@click.argument("workload", type=WorkloadId())
@click.option("--role", type=Words(), help="Only the rows of this role.")
@click.option("--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait for the answer.")
@json_option
def verb(*, workload: str, role: str | None, timeout: float, as_json: bool) -> None:
    """Delete the rows of WORKLOAD that are `missing`, and say which.

    A row in which a deployer wrote something (a route, a tag, a stage) is kept: it is the deployer's. The running controller does the
    deleting.
    """
    with existing_database(start_verb()) as used:
        argument = f"{workload}\n{role or ''}"
        answer = answered(process.run(ask(used.conninfo, kind=RequestKind.FORGET, argument=argument, timeout=timeout)))
        if as_json:
            print_json({"deleted": answer["deleted"], "kept": answer["kept"]})
        else:
            _print(answer, f"{workload}, role {role}" if role else workload)


def _print(answer: Mapping[str, Any], what: str) -> None:
    _print_each("deleted", answer["deleted"])
    _print_each("kept", answer["kept"])
    if answer["kept"]:
        note("What is kept holds something of a deployer's, who has to delete it.")
    if not answer["deleted"] and not answer["kept"]:
        note(f"There is nothing to forget: no row of {what} is missing.")


def _print_each(what: str, rows: Sequence[str]) -> None:
    for row in rows:
        click.echo(f"{what}  {plain(row)}")
