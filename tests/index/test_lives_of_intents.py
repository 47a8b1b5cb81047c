"""Terms that open, close, crash and are deposed in any order on a real PostgreSQL, beside a model of what the table then says.

Whatever the order, nobody acts on a host on which an earlier term has left something open, and who was deposed opens and closes nothing
(leadership: I4, I5).
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from tinyforge.domain.intents import Intent, IntentOutcome, Settled
from tinyforge.index.database import Database
from tinyforge.index.intents import PostgresIntents
from tinyforge.index.leadership import Identity, claim
from tinyforge.ports import Fenced, IndexRefused, Term

T = TypeVar("T")
Stored = tuple[int, str, str, str]
"""Epoch, host, object, outcome."""

some_intents = precondition(lambda lives: bool(lives.stored))

some_host = st.sampled_from(("here", "there"))
some_object = st.sampled_from(("web", "db"))
some_term = st.sampled_from((0, 0, 0, 1, 2))
"""How many terms ago: 0 leads, and does the most."""


@dataclass
class Life:
    """A process that leads or has led: its term, its intents, and those that it has opened."""

    term: Term
    intents: PostgresIntents
    database: Database
    opened: list[Intent] = field(default_factory=list)


class LivesOfIntents(RuleBasedStateMachine):
    """The table of intents, terms that follow each other, and a model."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        super().__init__()
        self.runner = runner
        self.url = url
        self.psql = psycopg.connect(url, autocommit=True)
        self.psql.execute("TRUNCATE tinyforge.intents")
        self.lives: list[Life] = []
        self.stored: dict[int, Stored] = {}

    @initialize(left_open=st.sets(st.tuples(some_host, some_object)))
    def a_term_crashes(self, left_open: set[tuple[str, str]]) -> None:
        self.a_term_begins()
        for host, name in sorted(left_open):
            self.open(0, host, name)
        self.a_term_begins()

    @precondition(lambda self: len(self.lives) < 5)  # else most steps are this one
    @rule()
    def a_term_begins(self) -> None:
        self.lives.insert(0, self.run(self._claimed()))

    @rule(ago=some_term, host=some_host, name=some_object)
    def open(self, ago: int, host: str, name: str) -> None:
        life = self.life(ago)
        opening = life.intents.open(host=host, object=name, action="create", seconds=60)
        if life is not self.lives[0]:
            self.is_fenced(opening)
        elif self.left_open(host):
            with pytest.raises(IndexRefused, match="open intents of an earlier term"):
                self.run(opening)
        else:
            intent = self.run(opening)
            life.opened.append(intent)
            for id_, (epoch, on, of, outcome) in self.stored.items():
                if (epoch, on, of, outcome) == (life.term.epoch, host, name, ""):
                    self.stored[id_] = (epoch, on, of, "failed")
            self.stored[intent.id] = (life.term.epoch, host, name, "")

    @some_intents
    @rule(ago=some_term, of=some_term, data=st.data(), outcome=st.sampled_from((IntentOutcome.DONE, IntentOutcome.FAILED)))
    def close(self, ago: int, of: int, data: st.DataObject, outcome: IntentOutcome) -> None:
        life, other = self.life(ago), self.life(of)
        if not other.opened:
            return
        intent = data.draw(st.sampled_from(other.opened))
        closing = life.intents.close(intent, outcome)
        if life is not self.lives[0]:
            self.is_fenced(closing)
            return
        self.run(closing)
        if life is other and self.stored[intent.id][3] == "":
            self.stored[intent.id] = (*self.stored[intent.id][:3], outcome)

    @some_intents
    @rule(ago=some_term, host=some_host)
    def take_over(self, ago: int, host: str) -> None:
        life = self.life(ago)
        found = [it.intent for it in self.run(life.intents.open_of_lower_epochs(host))]
        assert [it.id for it in found] == self.left_open(host, before=life.term.epoch)
        self.supersede(life, found)

    @some_intents
    @rule(ago=some_term, of=some_term)
    def supersede_whatever(self, ago: int, of: int) -> None:
        self.supersede(self.life(ago), self.life(of).opened)

    def supersede(self, life: Life, intents: list[Intent]) -> None:
        superseding = life.intents.supersede([Settled(intent=it, reason="over") for it in intents])
        if life is not self.lives[0]:
            self.is_fenced(superseding)
            return
        self.run(superseding)
        for intent in intents:
            epoch, host, name, outcome = self.stored[intent.id]
            if outcome == "" and epoch < life.term.epoch:
                self.stored[intent.id] = (epoch, host, name, "superseded")

    @invariant()
    def the_table_says_what_the_model_says(self) -> None:
        found = self.psql.execute("SELECT id, epoch, host, object, outcome FROM tinyforge.intents").fetchall()
        assert {row[0]: row[1:] for row in found} == self.stored

    @invariant()
    def i4_nobody_acted_where_an_earlier_term_left_something_open(self) -> None:
        for epoch, host, _, outcome in self.stored.values():
            later = [it for it in self.stored.values() if it[1] == host and it[0] > epoch]
            assert outcome != "" or not later

    def life(self, ago: int) -> Life:
        return self.lives[min(ago, len(self.lives) - 1)]

    def left_open(self, host: str, *, before: int | None = None) -> list[int]:
        epoch = self.lives[0].term.epoch if before is None else before
        return sorted(id_ for id_, it in self.stored.items() if it[0] < epoch and it[1] == host and it[3] == "")

    def is_fenced(self, writing: Coroutine[Any, Any, object]) -> None:
        with pytest.raises(Fenced):
            self.run(writing)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        for life in self.lives:
            self.run(life.database.close())
        self.psql.close()

    async def _claimed(self) -> Life:
        term = await claim(self.url, Identity.draw())
        database = Database(self.url, session=term.session, size=1)
        await database.open()
        return Life(term, PostgresIntents(database=database, term=term), database)


def test_i4_i5_in_any_order_of_opening_closing_crashing_and_taking_over(database_url: str) -> None:
    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            lambda: LivesOfIntents(runner, database_url),  # type: ignore[arg-type] # whatever makes one will do, its documentation says
            settings=settings(deadline=None, max_examples=50, stateful_step_count=20),
        )
