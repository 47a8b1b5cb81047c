"""`tinyforge trace`: what a dispatch saw, decided and did, as a tree, for those without a browser."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import click

from tinyforge.cli import process
from tinyforge.cli.database import existing_database
from tinyforge.cli.last_dispatch import WantedTrace, last_dispatch
from tinyforge.cli.output import Cell, note, print_json, print_line, print_tree
from tinyforge.cli.parameters import Duration, TraceId, WorkloadId
from tinyforge.cli.trace_document import document
from tinyforge.cli.trace_tree import trees
from tinyforge.cli.verb import Failure, Verb, json_option, start_verb
from tinyforge.jaeger.address import JaegerAddress
from tinyforge.jaeger.client import Jaeger, opened_jaeger
from tinyforge.jaeger.errors import JaegerError, TraceNotFound
from tinyforge.jaeger.spans import Trace
from tinyforge.settings import Settings

_LOOK_SECONDS = 0.5
_MOST_LINKS = 4
_WHY_NOT = (
    "it has forgotten it, or never got it. Is it the Jaeger that the controller's OTEL_EXPORTER_OTLP_ENDPOINT leads to, and is "
    "tinyforge_trace_spans_dropped_total on the controller's /metrics 0?"
)


@click.command(
    "trace",
    cls=Verb,
    examples={
        "tinyforge trace shop": "the dispatch that brought default/shop to where it is",
        "tinyforge trace --trace-id 4bf92f3577b34da6a3ce929d0e0e4736": "the trace that a log line or an Event names",
        "tinyforge trace shop --json": "its spans, for a script",
    },
)
@click.argument("workload", type=WorkloadId(), required=False)
@click.option("--trace-id", type=TraceId(), help="Show this trace, whatever it is of.")
@click.option(
    "--timeout", type=Duration(), default="10s", show_default=True, help="How long to wait for a trace that was not sent to Jaeger yet."
)
@json_option
def verb(*, workload: str | None, trace_id: str | None, timeout: float, as_json: bool) -> None:
    """Show the last dispatch of WORKLOAD as a tree, from Jaeger.

    That is the dispatch that brought the present outcome, which `tinyforge workloads` names too. The pass that it saw is shown with it.
    TINYFORGE_JAEGER_URL says where Jaeger answers. Exit code 1 if there is no such trace.
    """
    settings = start_verb()
    wanted = _wanted(settings, workload, trace_id)
    if settings.jaeger_url is None:
        raise Failure(
            f"TINYFORGE_JAEGER_URL is not set: it says where Jaeger is, such as http://127.0.0.1:16686. What you asked for is trace "
            f"{wanted.trace_id}{wanted.whose}"
        )
    process.run(_show(settings.jaeger_url, wanted, timeout, as_json=as_json))


def _wanted(settings: Settings, workload: str | None, trace_id: str | None) -> WantedTrace:
    if trace_id and not workload:
        return WantedTrace(trace_id)
    if workload and not trace_id:
        with existing_database(settings) as used:
            return process.run(last_dispatch(used, workload))
    raise click.UsageError("Name a WORKLOAD, or a trace by --trace-id, and not both.")


async def _show(address: JaegerAddress, wanted: WantedTrace, timeout: float, *, as_json: bool) -> None:  # noqa: ASYNC109 - what is there in the end is shown
    async with opened_jaeger(address) as jaeger:
        trace = await _arrived(jaeger, wanted, timeout if wanted.on_its_way else 0.0)
        if as_json:
            print_json(document(trace))
            return
        linked = await _linked(jaeger, trace)
    print_line(Cell(f"trace {wanted.trace_id}", "bold"), Cell(f"  {address}/trace/{wanted.trace_id}", "dim"))
    for tree in trees(trace, linked):
        print_tree(tree)
    if trace.root is None:
        note("Its root is not in Jaeger, so this is not all of it: it is still under way, or was lost on its way.")


async def _arrived(jaeger: Jaeger, wanted: WantedTrace, seconds: float) -> Trace:
    """Return a trace as soon as its root is there, which is sent last, or what is there of it after so many seconds.

    Raises:
        Failure: nothing of it is there.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        left = deadline - asyncio.get_running_loop().time()
        try:
            trace = await jaeger.trace(wanted.trace_id)
            if trace.root or left <= 0:
                return trace
        except TraceNotFound as error:
            if left <= 0:
                raise Failure(f"{error}{wanted.whose}; {_WHY_NOT}") from error
        await asyncio.sleep(min(_LOOK_SECONDS, max(left, 0.0)))


async def _linked(jaeger: Jaeger, trace: Trace) -> Mapping[str, Trace]:
    """Return the traces that the root is linked to, by their ids, as far as Jaeger has them; they are not worth an error."""
    found = {}
    for link in (trace.root.links if trace.root else ())[:_MOST_LINKS]:
        with suppress(JaegerError):
            found[link.trace_id] = await jaeger.trace(link.trace_id)
    return found
