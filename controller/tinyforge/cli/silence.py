"""Why there is nothing to show, and what to do next."""

from tinyforge.index.leadership import Leader
from tinyforge.index.reports import ContainerFilter, Reports

START = "start one with `tinyforge run -f FOLDER`"


async def why_no_containers(reports: Reports, wanted: ContainerFilter) -> str:
    """Return what a person needs to know who sees no row."""
    if wanted != ContainerFilter():
        return await _why_none_matches(reports, wanted)
    hosts, workloads = await reports.hosts(), await reports.workloads()
    if not hosts:
        return f"The index is empty: nothing is declared. {await why_nothing_happens(reports) or _declare('hosts and workloads')}"
    if not workloads:
        return f"The index is empty: no workload is declared, so no container is anybody's. {_declare('workloads')}"
    silent = [f"host {host['name']} is {host['state']} ({host['state_reason']})" for host in hosts if host["state"] != "reachable"]
    if silent:
        return f"The index is empty: {'; '.join(silent)}. `tinyforge doctor` says how to mend it."
    return (
        f"The index is empty: {len(workloads)} workloads are declared, and no container carries their labels. "
        "`tinyforge explain CONTAINER` says which rule a container meets."
    )


async def why_nothing_happens(reports: Reports) -> str:
    """Return that nobody leads, if that is so; empty if somebody does."""
    return nobody_leads(await reports.leader())


def nobody_leads(leader: Leader) -> str:
    """Return that a leader is not there, if that is so; empty if it is."""
    if leader.alive:
        return ""
    if leader.claimed_at is None:
        return f"No controller ever ran on this database: {START}."
    return f"No controller runs on this database, so what is shown grows old: {START}."


def _declare(what: str) -> str:
    return (
        f"Declare {what} in a folder, and name it by `tinyforge run -f FOLDER`; "
        "`tinyforge explain CONTAINER` says of any container why it is not managed."
    )


async def _why_none_matches(reports: Reports, wanted: ContainerFilter) -> str:
    hosts = [host["name"] for host in await reports.hosts()]
    if wanted.host and wanted.host not in hosts:
        return f"There is no host {wanted.host}; there are: {_some(hosts)}."
    workloads = [workload["id"] for workload in await reports.workloads()]
    if wanted.workload and wanted.workload not in workloads:
        return f"There is no workload {wanted.workload} and no row of it; there are: {_some(workloads)}."
    return "No row is so. `tinyforge ps` without options shows all."


def _some(names: list[str]) -> str:
    rest = len(names) - 10
    return (", ".join(names[:10]) or "none") + (f" and {rest} more" if rest > 0 else "")
