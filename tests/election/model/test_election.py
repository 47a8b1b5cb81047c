"""The protocol of the election, against an adversary: nothing happens that must never happen (I1 to I7 of leadership.md).

`make test` tries a few hundred histories, the same ones every time; `python -m tests.election.model.looking 20000` others, and many more.
"""

from tests.election.model.looking import look


def test_nothing_happens_that_must_never_happen() -> None:
    look(None, histories=500)
