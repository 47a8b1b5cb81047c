"""`tinyforge sync`: a pass now, asked of the running controller by way of the index."""

from collections.abc import Mapping
from typing import Any

import click

from tinyforge.cli import process
from tinyforge.cli.database import existing_database
from tinyforge.cli.parameters import Duration, HostName
from tinyforge.cli.passes import print_passes
from tinyforge.cli.verb import Failure, Verb, json_option, start_verb
from tinyforge.domain.requests import RequestKind
from tinyforge.index.requests import ask


@click.command(
    "sync",
    cls=Verb,
    examples={
        "tinyforge sync": "every host",
        "tinyforge sync --host web1": "one of them",
        "tinyforge sync --json --timeout 5s": "for a script",
    },
)
@click.option("--host", type=HostName(), help="Only this host.")
@click.option("--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait for the answer.")
@json_option
def verb(*, host: str | None, timeout: float, as_json: bool) -> None:
    """Ask the running controller for a pass now.

    It sees what is there now: the pass begins after it was asked for. What it found is printed; a pass that failed is exit code 1.
    """
    with existing_database(start_verb()) as used:
        answer = process.run(ask(used.conninfo, kind=RequestKind.SYNC, host=host or "", timeout=timeout))
        print_passes(answered(answer)["passes"], as_json=as_json)


def answered(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a controller's answer.

    Raises:
        Failure: it is that it cannot.
    """
    if "error" in answer:
        raise Failure(str(answer["error"]))
    return answer
