"""Which rule matched or refused one container, and why: the pass's own decision, made again without writing it.

A container is found as Docker's own commands find one: by its name, its id, or a beginning of its id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tinyforge.domain.containers import Container
from tinyforge.domain.explanation import explain_claim, explain_displaced, explain_rejection
from tinyforge.domain.index_plan import Evidence, IndexPlan, plan_index
from tinyforge.domain.matching import Outcome
from tinyforge.ports import ContainersReader, Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a pass decides about a container, and what it looked at."""

    container: str
    name: str
    host: str
    rule: str
    outcome: Outcome
    workload: str
    row: str
    reason: str
    labels: Mapping[str, str]


async def explain(wanted: str, *, host: str, engine: Engine, index: ContainersReader) -> list[Explanation]:
    """Return what becomes of the containers of one host that answer to `wanted`: none, one, or several if it is ambiguous.

    Raises:
        EngineError: the host gave no whole list.
        IndexUnavailable: PostgreSQL does not answer.
    """
    view = (await index.snapshot(host)).view
    view = replace(view, workloads=replace(view.workloads, elsewhere=await index.elsewhere(host)))
    listing = await engine.containers()
    found = _find(wanted, listing.containers)
    labels = {container.id: await engine.labels(container.id) for container in found[:2]}
    plan = plan_index(view, Evidence(containers=listing.containers, bound_before=view.bindings()))
    return [_explain_one(container, plan, host=host, labels=labels.get(container.id, {})) for container in found]


def _explain_one(container: Container, plan: IndexPlan, *, host: str, labels: Mapping[str, str]) -> Explanation:
    about: dict[str, Any] = {
        "container": container.id,
        "name": container.name,
        "host": host,
        "labels": {key: value for key, value in labels.items() if key.startswith(("tinyforge.", "com.docker.compose."))},
    }
    for row, claim in plan.winners.items():
        if claim.container.id == container.id:
            return Explanation(
                **about, rule=claim.rule, outcome=Outcome.MATCHED, workload=claim.workload.id, row=row, reason=explain_claim(claim, row)
            )
    for it in plan.displaced:
        if it.claim.container.id == container.id:
            return Explanation(
                **about, rule="M9", outcome=Outcome.DISPLACED, workload=it.claim.workload.id, row="", reason=explain_displaced(it)
            )
    rejection = next(it for it in plan.rejections if it.container.id == container.id)
    workload = rejection.workload.id if rejection.workload else ""
    return Explanation(
        **about, rule=rejection.rule, outcome=rejection.outcome, workload=workload, row="", reason=explain_rejection(rejection)
    )


def _find(wanted: str, containers: Iterable[Container]) -> list[Container]:
    name = wanted.removeprefix("/")
    everything = tuple(containers)
    exact = [it for it in everything if it.id == wanted or name in [each.removeprefix("/") for each in it.names or ()]]
    return exact or [it for it in everything if wanted and it.id.startswith(wanted)]
