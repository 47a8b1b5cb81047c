"""`tinyforge deploy`: a deployment now, asked of the running controller by way of the index."""

from collections.abc import Mapping
from typing import Any

import click

from tinyforge.cli import process
from tinyforge.cli.database import existing_database
from tinyforge.cli.output import Cell, print_json, print_line
from tinyforge.cli.parameters import Duration, WorkloadId
from tinyforge.cli.sync import answered
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.domain.requests import RequestKind
from tinyforge.index.requests import ask

_KEYS = ("workload", "outcome", "reason", "message", "traceID")
_STYLES = {"failed": "red", "changed": "green", "skipped": "yellow"}


@click.command(
    "deploy",
    cls=Verb,
    examples={
        "tinyforge deploy shop": "the workload default/shop",
        "tinyforge deploy team/shop --json --timeout 5m": "for a script that waits",
    },
)
@click.argument("workload", type=WorkloadId())
@click.option("--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait for the answer.")
@json_option
@click.pass_context
def verb(context: click.Context, *, workload: str, timeout: float, as_json: bool) -> None:
    """Deploy WORKLOAD, if its trigger takes a person's word for it.

    Its trigger has to be `manual`, or another that listens to this. It is fired once, also if the controller is restarted meanwhile. How
    that ended is printed; exit code 1 if it failed.
    """
    with existing_database(start_verb()) as used:
        answer = answered(process.run(ask(used.conninfo, kind=RequestKind.DEPLOY, argument=workload, timeout=timeout)))
    if as_json:
        print_json({key: answer[key] for key in _KEYS})
    else:
        print_line(*_line(answer))
    if answer["outcome"] == "failed":
        context.exit(1)


def _line(answer: Mapping[str, Any]) -> list[Cell]:
    outcome = answer["outcome"]
    why = ": ".join(filter(None, (answer["reason"], answer["message"])))
    trace = f"  (trace {answer['traceID']})" if answer["traceID"] else ""
    return [Cell(f"{answer['workload']}  "), Cell(outcome, _STYLES.get(outcome, "")), Cell(f"{why and f'  {why}'}{trace}")]
