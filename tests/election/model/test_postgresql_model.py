"""The model of PostgreSQL behaves as PostgreSQL does where the fence depends on it; `tests/index/test_fence*` ask the real one."""

import pytest

from tests.election.model.flaws import Flaw
from tests.election.model.moments import Clock
from tests.election.model.postgresql_model import LOCK_NOT_AVAILABLE, Postgres, Reply, Session, Statement
from tests.election.model.statements import FENCED, Sql
from tests.election.model.witness import I1, Witness


class Server:
    """A server with an epoch 1 of A's, and a way to run statements until nobody can go on."""

    def __init__(self, flaw: Flaw | None = None) -> None:
        self.clock = Clock(tick=1)
        self.postgres = Postgres(clock=self.clock, witness=Witness(), flaw=flaw)
        self.sql = Sql(self.postgres)
        self.a, self.b = self.postgres.connect("a"), self.postgres.connect("b")
        self.run(self.a, *self.claim(1, "A"), self.sql.commit)

    def run(self, session: Session, *statements: Statement) -> Reply:
        reply = session.send(*statements)
        self.go_on()
        return reply

    def go_on(self) -> None:
        while self.postgres.serve():
            pass

    def claim(self, epoch: int, holder: str) -> tuple[Statement, ...]:
        return self.sql.begin, self.sql.lock_alone(seconds=1), self.sql.claim(epoch, holder, holder.lower())

    def fenced(self, epoch: int, holder: str) -> tuple[Statement, ...]:
        return self.sql.begin, self.sql.fence(epoch, holder), self.sql.write_row(epoch)


def test_a_claim_waits_for_a_fenced_transaction_and_gives_up() -> None:
    server = Server()
    server.run(server.a, *server.fenced(1, "A"))
    claim = server.run(server.b, *server.claim(2, "B"))
    assert not claim.done
    server.clock.now = 1
    server.go_on()
    assert claim.error
    assert claim.error.sqlstate == LOCK_NOT_AVAILABLE


def test_who_waits_to_have_the_lock_alone_keeps_later_sharers_waiting() -> None:
    server = Server()
    server.run(server.a, *server.fenced(1, "A"))
    claim = server.run(server.b, *server.claim(2, "B"), server.sql.commit)
    later = server.run(server.postgres.connect("a"), *server.fenced(1, "A"), server.sql.commit)
    assert (claim.done, later.done) == (False, False)
    server.run(server.a, server.sql.commit)
    assert claim.done
    assert later.error
    assert later.error.sqlstate == FENCED


def test_what_is_behind_an_error_in_a_pipeline_is_skipped() -> None:
    server = Server()
    server.run(server.b, *server.claim(2, "B"), server.sql.commit)
    before = len(server.postgres.versions)
    assert server.run(server.a, *server.fenced(1, "A"), server.sql.commit).error
    assert len(server.postgres.versions) == before
    assert server.a.transaction is None


@pytest.mark.parametrize("flaw", [Flaw.NO_SHARED_LOCK, Flaw.STABLE_FENCE, Flaw.FENCE_RETURNS_A_ROW])
def test_a_fence_with_a_flaw_lets_a_deposed_leader_write(flaw: Flaw) -> None:
    """By the shortest way for each: it looks before the claim, or writes after it."""
    server = Server(flaw)
    if flaw is Flaw.NO_SHARED_LOCK:
        server.run(server.a, *server.fenced(1, "A"))
        server.run(server.b, *server.claim(2, "B"), server.sql.commit)
    else:
        server.run(server.b, *server.claim(2, "B"))
        server.run(server.a, *server.fenced(1, "A"))
        server.b.send(server.sql.commit)
    server.a.send(server.sql.commit)
    with pytest.raises(I1):
        server.go_on()


def test_a_transaction_that_is_left_idle_ends_with_its_session() -> None:
    server = Server()
    server.run(server.a, *server.fenced(1, "A"))
    server.clock.now = 5
    server.go_on()
    assert server.a.ended
    assert server.run(server.b, *server.claim(2, "B")).done


def test_a_failover_loses_the_last_commits_and_every_session() -> None:
    server = Server()
    server.run(server.b, *server.claim(2, "B"), server.sql.commit)
    server.postgres.fail_over(lost=1)
    assert server.postgres.state.leaders.epoch == 1
    assert server.a.ended
    assert server.b.ended


def test_a_pipeline_that_has_arrived_is_done_though_its_client_is_gone() -> None:
    server = Server()
    server.a.send(*server.fenced(1, "A"), server.sql.commit)
    server.a.abandoned = True
    before = len(server.postgres.versions)
    server.go_on()
    assert len(server.postgres.versions) == before + 1
    assert server.a.ended
