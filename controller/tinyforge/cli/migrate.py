"""`tinyforge migrate`: the schema, brought up to date by hand. `run` does so by itself when it starts."""

import click

from tinyforge.cli import process
from tinyforge.cli.database import used_database
from tinyforge.cli.output import print_json
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.index.schema import migrate


@click.command(
    "migrate",
    cls=Verb,
    examples={
        "tinyforge migrate": "the embedded database",
        "TINYFORGE_DATABASE_URL=postgresql://db/forge tinyforge migrate": "another one",
    },
)
@json_option
def verb(*, as_json: bool) -> None:
    """Bring the schema of the database up to date.

    The migrations that were applied are printed. It goes forward only, and does nothing twice. The role needs the right to create in the
    database.
    """
    with used_database(start_verb()) as used:
        applied = process.run(migrate(used.conninfo))
    if as_json:
        print_json({"applied": applied})
        return
    for migration in applied:
        click.echo(f"applied {migration}")
    if not applied:
        click.echo("up to date")
