"""The command line: `tinyforge VERB`, one file a verb. It asks the index, the running controller or an engine, and prints what they say.

    __init__   the verbs and what each is for; loads one when it is called
    verb       what all verbs share: examples in their help, exit codes, settings
    process    signals and the event loop
    ending     the end of the process, whatever is left
    database   which PostgreSQL a verb works with
    parameters what may be typed
    output     tables, JSON and notes; every foreign text passes through here

Facts go to stdout, everything else to stderr. Exit codes: 0 done (SIGTERM too), 1 failed, 2 usage, 130 SIGINT.
"""

import importlib
from typing import Any, cast

import click
from click.exceptions import NoSuchCommand
from click.shell_completion import CompletionItem

from tinyforge.cli.ending import Ending

VERBS = {
    "run": "Keep the index true, on this machine, until it is stopped.",
    "controller": "Keep the index true to the objects of a Kubernetes cluster, until it is stopped.",
    "sync": "Ask the running controller for a pass now.",
    "ps": "Show the containers of the index.",
    "hosts": "Show the hosts and how their last pass went.",
    "workloads": "Show the workloads and how many of their containers run.",
    "trace": "Show the last dispatch of WORKLOAD as a tree, from Jaeger.",
    "leader": "Show who leads, since when, and who could.",
    "deploy": "Deploy WORKLOAD, if its trigger takes a person's word for it.",
    "explain": "Say which rule matched or refused CONTAINER, and why.",
    "forget": "Delete the rows of WORKLOAD that are `missing`, and say which.",
    "plugins": "List the installed sources and triggers, and what is broken.",
    "migrate": "Bring the schema of the database up to date.",
    "crds": "Print the CustomResourceDefinitions as YAML.",
    "settings": "Show the settings, their values, and where each comes from.",
    "doctor": "Check every connection, and say how to mend what is broken.",
}

_EPILOG = """\b
Try it:
  tinyforge run -f manifests/examples   in one terminal
  tinyforge ps                          in another

Settings are environment variables; `tinyforge settings` lists them.

\b
Completion, for this shell or in its start-up file:
  bash   eval "$(_TINYFORGE_COMPLETE=bash_source tinyforge)"
  zsh    eval "$(_TINYFORGE_COMPLETE=zsh_source tinyforge)"
  fish   _TINYFORGE_COMPLETE=fish_source tinyforge | source

Exit codes: 0 done (SIGTERM too), 1 failed, 2 usage or settings, 130 Ctrl-C."""


class Verbs(click.Group):
    """The verbs. Help and completion load none of them: some bring a database or an HTTP client along."""

    def __call__(self, *args: Any, **extra: Any) -> Any:
        """Be the process's main: run the verb that is called, and end with its exit code."""
        ending = Ending()
        with ending.for_good():
            return self.main(*args, obj=ending, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs, the main job first."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one verb."""
        if cmd_name not in VERBS:
            return None
        return cast("click.Command", importlib.import_module(f"tinyforge.cli.{cmd_name}").verb)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is called, or say which one is like it."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:  # click looks for likenesses among loaded verbs only
            raise NoSuchCommand(error.command_name, possibilities=VERBS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each verb is for."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the verbs that begin so, and the options."""
        verbs = [CompletionItem(name, help=what) for name, what in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(cls=Verbs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tinyforge", message="tinyforge %(version)s")
def main(**_: Any) -> None:
    """Tinyforge keeps a PostgreSQL index of the containers on plain Docker hosts."""
