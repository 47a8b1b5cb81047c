"""A replica freezes at each step of the protocol, for less and for longer than anything in it lasts, and wakes up.

All steps of one row are tried at once, each by two replicas on a database and a Lease of their own: freezing is waiting.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore

import pytest

from tests.e2e.index import Index
from tests.faults.fleet import SEEN, WARM, Fleet, freeze, is_stopped, succeeds
from tests.faults.pairs import Pair, ends, is_deposed, leads, leads_or_is_deposed, never_leads, stands_by
from tests.faults.side_by_side import side_by_side
from tests.operator.installation import NAMESPACE, Installation
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres

AT_ONCE = 2
"""So many start or are elected at a time: what a small machine does without letting the others wait."""
RUNS_OUT = 30.0
"""Within how many seconds a Lease of 15 s is taken over that nobody renews: 17, and this machine may do much else."""
CLAIM = rb"(UPDATE tinyforge\.leaders)"
LEASES = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "watch", "update"]}


def in_its_campaign(pair: Pair) -> None:
    pair.elect(lambda: is_stopped(pair.first))


def with_half_its_claim_sent(pair: Pair) -> None:
    pair.elect(lambda: pair.send_half(CLAIM))
    freeze(pair.first)


def between_renewals(pair: Pair) -> None:
    pair.lead()
    freeze(pair.first)


def in_a_transaction(pair: Pair) -> None:
    pair.lead()
    pair.open_a_transaction()
    freeze(pair.first)


def at_a_renewal_in_a_transaction(pair: Pair) -> None:
    pair.lead()
    pair.open_a_transaction()
    pair.stop_from_now_on()
    assert pair.fleet.open_transactions == 1


def at_its_end(pair: Pair) -> None:
    pair.lead()
    pair.open_a_transaction()
    pair.first.process.signal(signal.SIGTERM)
    is_stopped(pair.first)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A place in the protocol.

    Args:
        reach: how a pair's first replica comes to freeze there.
        stop: where it stops itself; empty: it does not.
        within: how soon it is succeeded.
        briefly: what comes of 5 s, for which nothing lasts but a sign of life.
        later: what comes of any longer time, and of being succeeded.
    """

    reach: Callable[[Pair], None]
    stop: str = ""
    within: float = SEEN
    briefly: Callable[[Pair], None]
    later: Callable[[Pair], None]


def held_up(reach: Callable[[Pair], None], stop: str = "") -> Case:
    """One that has the Lease and not the database: nobody can see that it is frozen."""
    return Case(reach=reach, stop=stop, within=RUNS_OUT, briefly=leads, later=never_leads)


def leading(reach: Callable[[Pair], None], stop: str = "") -> Case:
    return Case(reach=reach, stop=stop, briefly=leads_or_is_deposed, later=is_deposed)


CASES = {
    "before-put": Case(reach=in_its_campaign, stop="before-put", briefly=stands_by, later=stands_by),
    "after-put": held_up(in_its_campaign, "after-put"),
    "before-claim": held_up(in_its_campaign, "before-claim"),
    "claim": held_up(with_half_its_claim_sent),
    "after-claim": Case(reach=in_its_campaign, stop="after-claim", briefly=leads_or_is_deposed, later=never_leads),
    "between renewals": leading(between_renewals),
    "in a transaction": leading(in_a_transaction),
    "before-renewal": leading(at_a_renewal_in_a_transaction, "before-renewal:{armed}"),
    "after-renewal-sent": leading(at_a_renewal_in_a_transaction, "after-renewal-sent:{armed}"),
    "after-fresh-read": Case(reach=at_its_end, stop="after-fresh-read", briefly=ends, later=ends),
    "before-release": Case(reach=at_its_end, stop="before-release", briefly=ends, later=ends),
}


@pytest.fixture
def fleets(
    installation: Installation, shop: DockerEngine, postgres_server: Postgres, migrated_template: str, database_url: str, tmp_path: Path
) -> Iterator[dict[str, Fleet]]:
    """One for each case."""
    installation.initialise(database_url)
    role = installation.cluster.get("Role", "tinyforge", NAMESPACE)
    installation.cluster.patch("Role", "tinyforge", {"rules": [*role["rules"], LEASES]}, NAMESPACE)
    with ExitStack() as stack:
        fleets = {}
        for number, name in enumerate(CASES):
            url = postgres_server.url_of(stack.enter_context(postgres_server.database(template=migrated_template)))
            fleets[name] = Fleet(installation, Index(postgres_server, url), tmp_path, stack, lease=f"case-{number}")
        yield fleets


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [60, 20, 12, 5, 0], ids=["60s", "20s", "12s", "5s", "succeeded"])
def test_fault_03_and_04_who_freezes_at_any_step_leads_on_rightly_or_ends_and_writes_nothing_more(
    seconds: int, fleets: dict[str, Fleet], tmp_path: Path
) -> None:
    """0 s are as many as it takes until another one leads: then the moment is worst, for that one has only just begun."""
    gate = Semaphore(AT_ONCE)

    def freezes(name: str) -> None:
        case = CASES[name]
        with gate:
            pair = Pair(fleets[name], stop=case.stop, armed=tmp_path / name)
        time.sleep(WARM)
        with gate:
            case.reach(pair)
        frozen = time.monotonic()
        if not seconds:
            succeeds(pair.second, 1 if case.briefly is stands_by else 2, since=frozen, within=case.within)
        time.sleep(max(0.0, frozen + seconds - time.monotonic()))
        pair.wake()
        (case.briefly if seconds == 5 else case.later)(pair)

    side_by_side(freezes, CASES)
