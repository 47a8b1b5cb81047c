"""Which trace is that of a workload's last dispatch, as the index has it; what `tinyforge trace` then asks Jaeger for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from tinyforge.cli.database import UsedDatabase, opened_reports
from tinyforge.cli.texts import age, moment
from tinyforge.cli.verb import Failure
from tinyforge.objects.statuses import read_workload_status
from tinyforge.objects.workload import LastDispatch

_YOUNG_SECONDS = 60.0
"""A dispatch that is older than this is not on its way to Jaeger any more."""
_SOME = 10


@dataclass(frozen=True, slots=True)
class WantedTrace:
    """A trace: its id, whose it is if that is known, and whether it may still be on its way to Jaeger."""

    trace_id: str
    whose: str = ""
    on_its_way: bool = True


async def last_dispatch(used: UsedDatabase, workload: str) -> WantedTrace:
    """Return the trace of the dispatch that brought a workload to where it is.

    Raises:
        Failure: there is no such workload, no dispatch of it, or no trace of that.
    """
    async with opened_reports(used) as reports:
        documents = {str(fact["id"]): fact["status"] for fact in await reports.workloads()}
    if workload not in documents:
        raise Failure(_no_such(workload, documents))
    status = read_workload_status(documents[workload])
    if status is None or status.last_dispatch is None:
        raise Failure(
            f"{workload} was never dispatched: it has to have a source and a trigger, and a host that answers; "
            "`tinyforge workloads` says how it is"
        )
    return _trace_of(status.last_dispatch, workload)


def _trace_of(last: LastDispatch, workload: str) -> WantedTrace:
    dispatch = f"the dispatch of {workload} at {moment(last.at)} ({age(last.at)} ago), which ended {last.outcome}"
    if not last.trace_id:
        raise Failure(
            f"there is no trace of {dispatch}: the controller had nowhere to send it (OTEL_EXPORTER_OTLP_ENDPOINT), or was told to leave "
            "it out (OTEL_TRACES_SAMPLER, TINYFORGE_TRACE_UNCHANGED)"
        )
    return WantedTrace(last.trace_id, f", of {dispatch}", on_its_way=(datetime.now(UTC) - last.at).total_seconds() < _YOUNG_SECONDS)


def _no_such(workload: str, known: Collection[str]) -> str:
    near = get_close_matches(workload, known, n=1)
    if near:
        return f"there is no workload {workload}; did you mean {near[0]}?"
    rest = f" and {len(known) - _SOME} more" if len(known) > _SOME else ""
    return f"there is no workload {workload}; there are: {', '.join(sorted(known)[:_SOME]) or 'none'}{rest}"
