"""`tinyforge ps`: the index, read from PostgreSQL. No controller is needed for that, only for it to be true."""

import click

from tinyforge.cli import process
from tinyforge.cli.containers_table import containers_table
from tinyforge.cli.database import UsedDatabase, existing_database, opened_reports
from tinyforge.cli.output import note, print_json, print_table
from tinyforge.cli.parameters import HostName, WorkloadId
from tinyforge.cli.silence import why_no_containers, why_nothing_happens
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.cli.watch import watch_containers
from tinyforge.index.reports import ContainerFilter

STATES = ("running", "stopped", "created", "restarting", "paused", "removing", "failed", "missing", "unknown")


@click.command(
    "ps",
    cls=Verb,
    examples={
        "tinyforge ps": "everything",
        "tinyforge ps --workload shop": "the containers of default/shop",
        "tinyforge ps --state missing": "what its host does not have any more",
        "tinyforge ps --host web1 --watch": "how it changes",
        "tinyforge ps --json | jq '.[].container_id'": "for a script",
    },
)
@click.option("--workload", type=WorkloadId(), help="Only of this workload, NAMESPACE/NAME.")
@click.option("--host", type=HostName(), help="Only on this host.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state, as far as anybody can say now.")
@click.option("--watch", is_flag=True, help="Go on and show changes, until Ctrl-C.")
@json_option
def verb(*, workload: str | None, host: str | None, state: str | None, watch: bool, as_json: bool) -> None:
    """Show the containers of the index.

    A state is what the last pass saw. `missing`: the host answered, and no container of it belongs to this row any more. `unknown`: nobody
    can say now, for the reason given; SEEN is how old the last sight of the container is.

    With --json the rows of the view container_status.
    """
    if watch and as_json:
        raise click.UsageError("--watch never ends, and --json prints one document: choose one of them.")
    wanted = ContainerFilter(workload=workload, host=host, state=state)
    with existing_database(start_verb()) as used:
        process.run(watch_containers(used, wanted) if watch else _show(used, wanted, as_json=as_json))


async def _show(used: UsedDatabase, wanted: ContainerFilter, *, as_json: bool) -> None:
    async with opened_reports(used) as reports:
        facts = await reports.containers(wanted)
        if as_json:
            print_json(facts)
        elif facts:
            print_table(containers_table(facts))
            note(await why_nothing_happens(reports))
        else:
            note(await why_no_containers(reports, wanted))
