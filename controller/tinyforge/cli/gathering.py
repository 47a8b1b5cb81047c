"""`explain -f`: what the manifests of a folder would make of a container, found out without a controller.

Only `explain` loads this, and only with a folder. What is declared comes from the folder, over what the mirror in PostgreSQL holds; rows
come from PostgreSQL too, if it can be read.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinyforge.cli.database import UsedDatabase, opened
from tinyforge.cli.output import note
from tinyforge.cli.verb import Failure
from tinyforge.domain.hosts import Host
from tinyforge.domain.matching import HostView
from tinyforge.domain.mirror import Mirror, MirrorPlan, plan_mirror
from tinyforge.domain.workloads import Workload, Workloads
from tinyforge.engine import FolderSecrets, Intake, open_engine
from tinyforge.index.containers import PostgresContainersIndex
from tinyforge.index.database import Database
from tinyforge.index.mirror import read_mirror
from tinyforge.ports import ContainersReader, EngineError, HostSnapshot, IndexRefused, IndexUnavailable, Term
from tinyforge.reconcile.explain import Explanation, explain
from tinyforge.settings import Settings
from tinyforge.standalone.manifests.read import read_folder

_NO_TERM = Term(epoch=0, holder="", session="")  # nobody's: a write under it would be fenced
_EMPTY = Mirror(hosts={}, workloads={})


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeclaredIndex:
    """The index as `explain` reads it, with what is declared in place of what is mirrored."""

    workloads: Sequence[Workload]
    stored: ContainersReader | None

    async def snapshot(self, host: str, *, also: Collection[str] = ()) -> HostSnapshot:
        if self.stored:
            snapshot = await self.stored.snapshot(host, also=also)
        else:
            snapshot = HostSnapshot(view=HostView(host=host, installation="", workloads=Workloads(), rows={}), engine_id="")
        return replace(snapshot, view=replace(snapshot.view, workloads=Workloads.of(host, self.workloads)))

    async def elsewhere(self, host: str) -> Mapping[str, str]:
        return {workload.id: workload.host for workload in self.workloads if workload.host != host}


async def gather_explanations(
    container: str, *, host: str, folder: Path, settings: Settings, used: UsedDatabase | None
) -> Mapping[str, Any]:
    """Ask the engines that a folder declares, and return what a controller would answer.

    Args:
        container: a name, an id, or the beginning of one.
        host: which host to ask; all if empty.
        folder: the manifests.
        settings: the settings.
        used: the database, if there is one.

    Raises:
        FolderUnreadable: the folder cannot be read.
        Failure: no such host is declared.
    """
    found = read_folder(folder)
    for problem in found.problems:
        note(str(problem))
    hosts = _hosts([declared.value for declared in found.reading.hosts], host)
    if used is None:
        note("There is no database to read: rows and the installation's id are not looked at.")
        return await _explain_each(container, hosts, settings, _index(plan_mirror(found.reading, _EMPTY), _EMPTY, None))
    async with opened(used) as database:
        try:
            await database.probe()
            mirror = await database.run(read_mirror)
        except (IndexUnavailable, IndexRefused) as error:
            note(f"{error}: rows and the installation's id are not looked at.")
            return await _explain_each(container, hosts, settings, _index(plan_mirror(found.reading, _EMPTY), _EMPTY, None))
        return await _explain_each(container, hosts, settings, _index(plan_mirror(found.reading, mirror), mirror, database))


def _hosts(declared: Sequence[Host], wanted: str) -> list[Host]:
    hosts = [host for host in declared if wanted in ("", host.name)]
    if not hosts:
        names = ", ".join(sorted(host.name for host in declared)) or "none"
        raise Failure(f'no DockerHost "{wanted}" is declared; declared are: {names}' if wanted else "the folder declares no DockerHost")
    return hosts


def _index(plan: MirrorPlan, mirror: Mirror, database: Database | None) -> _DeclaredIndex:
    for refusal in plan.refusals:
        note(f"{refusal.origin}: workload {refusal.workload_id} is refused: {refusal.field}: {refusal.full_message}")
    workloads = {id_: stored.value.key for id_, stored in mirror.workloads.items() if id_ not in plan.removed_workloads}
    workloads |= {workload.key.id: workload.key for workload in plan.workloads}
    stored = PostgresContainersIndex(database=database, term=_NO_TERM) if database else None
    return _DeclaredIndex(workloads=tuple(workloads.values()), stored=stored)


async def _explain_each(container: str, hosts: Iterable[Host], settings: Settings, index: _DeclaredIndex) -> Mapping[str, Any]:
    intake = Intake()

    async def one(host: Host) -> list[Explanation] | EngineError:
        engine = open_engine(
            host,
            connect_timeout=settings.docker_connect_timeout,
            list_timeout=settings.docker_list_timeout,
            list_limit=settings.docker_list_limit,
            secrets=FolderSecrets(settings.secrets),
            intake=intake,
        )
        try:
            return await explain(container, host=host.name, engine=engine, index=index)
        except EngineError as error:
            return error
        finally:
            await engine.close()

    answers = {host.name: answer for host, answer in zip(hosts, await asyncio.gather(*map(one, hosts)), strict=True)}
    return {
        "explanations": [asdict(it) for answer in answers.values() if not isinstance(answer, EngineError) for it in answer],
        "failures": {name: f"{answer.reason}: {answer}" for name, answer in answers.items() if isinstance(answer, EngineError)},
    }
