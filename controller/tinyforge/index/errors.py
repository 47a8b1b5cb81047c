"""From psycopg's errors to ours, at this one place.

SQLSTATEs of class TF are raised by the functions of the schema: TF001 by the fence, TF002 for rows that moved, TF003 for a program
that is too old, TF004 by the guard of `leaders`, TF005 for a transaction that cannot be fenced. All others are PostgreSQL's own (its
manual, appendix A).
"""

import json

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable, RowsMoved, TinyforgeError

FENCED = "TF001"
"""The fence refused: somebody else leads, as far as this server knows."""

ROW_IS_GONE = "the row of tinyforge.leaders is gone; `tinyforge migrate` restores it"
"""What nobody can lead without."""

_MOVED = frozenset({"23505", "23P01", "40P01", "40001"})
"""Unique and exclusion violations, deadlock, serialization failure: somebody else's rows were in the way (rule W7)."""

_MEANINGS = {  # what fails while connecting has no SQLSTATE, and says enough by itself
    "25006": "PostgreSQL is read-only here: the address leads to a standby, or default_transaction_read_only is set",
    "3F000": "there is no schema of Tinyforge in this database; `tinyforge migrate` makes it",
    "42P01": "there is no schema of Tinyforge in this database; `tinyforge migrate` makes it",
    "42501": "this role may not do that in this database",
    "53100": "PostgreSQL's disk is full",
    "55P03": "a lock in PostgreSQL was not free in time: somebody else holds it",
    "57014": "PostgreSQL did not finish a statement in time (statement_timeout)",
    "TF003": "this program is too old for this database",
}

_PASSES = frozenset({"25006", "42501"})
"""Not operational errors to psycopg, and yet over once the primary is back or a right is given back."""

LOSES_POOL = frozenset({"25006", "57P01"})
"""After these every connection of the pool is suspect: the server became a standby, or was told to stop."""


def translate(error: Exception) -> TinyforgeError:
    """Return what an error of psycopg or its pool means to a use case; raise the result `from` the error."""
    if isinstance(error, PoolTimeout | PoolClosed):
        return IndexUnavailable("PostgreSQL gave no connection in time")
    state = getattr(error, "sqlstate", None) or ""
    if state == FENCED:
        return Fenced(_text(error))
    if state == "TF002":
        return RowsMoved(json.loads(_detail(error)))
    if state in _MOVED:
        return RowsMoved(())
    text = f"{_MEANINGS.get(state, 'PostgreSQL')}: {_text(error)}"
    passes = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or state in _PASSES
    return IndexUnavailable(text) if passes else IndexRefused(text)


def _detail(error: Exception) -> str:
    return (error.diag.message_detail if isinstance(error, psycopg.Error) else None) or "[]"


def _text(error: Exception) -> str:
    """Return the error's own first line; libpq's and the server's messages name no password."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return (primary or str(error)).strip().splitlines()[0] if (primary or str(error)).strip() else type(error).__name__
