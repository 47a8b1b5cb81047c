"""`tinyforge crds`: what a cluster has to be taught before it knows our objects."""

import click

from tinyforge.cli.verb import Verb
from tinyforge.objects.crd import render_crds


@click.command(
    "crds",
    cls=Verb,
    examples={"tinyforge crds | kubectl apply --server-side -f -": "teach them to a cluster"},
)
def verb() -> None:
    """Print the CustomResourceDefinitions as YAML.

    They are DockerHost and Workload, of which the same models read the manifests of `tinyforge run -f`.
    """
    click.echo(render_crds(), nl=False)
