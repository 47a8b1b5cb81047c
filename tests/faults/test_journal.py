"""The journal finds a row that a deposed leader commits; else nothing that it does not find would mean anything."""

import psycopg
import pytest

from tests.e2e.index import Index
from tests.faults.journal import Journal

CLAIM = "UPDATE tinyforge.leaders SET epoch = {0}, holder = 'h{0}', session = 's{0}'"
HOST = "INSERT INTO tinyforge.hosts (name) VALUES ('{}')"


@pytest.fixture
def journal(index: Index) -> Journal:
    return Journal(index)


def act(session: str, statement: str, index: Index) -> None:
    with psycopg.connect(index.url, application_name=session) as connection:
        connection.execute(statement.encode())


def test_it_finds_nothing_where_each_wrote_in_its_own_term(journal: Journal, index: Index) -> None:
    for epoch in (1, 2):
        act(f"s{epoch}", CLAIM.format(epoch), index)
        act(f"s{epoch}", HOST.format(epoch), index)
    assert journal.stale() == []
    assert journal.writers() == [1, 2]


def test_it_finds_a_row_that_was_written_after_the_next_claim(journal: Journal, index: Index) -> None:
    act("s1", CLAIM.format(1), index)
    act("s2", CLAIM.format(2), index)
    act("s1", HOST.format("late"), index)
    assert [row[1:] for row in journal.stale()] == [("hosts", 1, 2)]


def test_it_finds_a_row_that_was_written_before_the_next_claim_and_committed_after_it(journal: Journal, index: Index) -> None:
    act("s1", CLAIM.format(1), index)
    with psycopg.connect(index.url, application_name="s1") as slow:
        slow.execute(HOST.format("late").encode())
        act("s2", CLAIM.format(2), index)
    assert [row[1:] for row in journal.stale()] == [("hosts", 1, 2)]


def test_it_finds_a_row_of_somebody_who_never_led(journal: Journal, index: Index) -> None:
    act("stranger", HOST.format("odd"), index)
    assert [row[1:] for row in journal.stale()] == [("hosts", None, None)]
