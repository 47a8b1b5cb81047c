"""The claim itself: the one statement by which a term begins, or is made again where PostgreSQL lost it.

It takes the fence's lock alone, so it waits for fenced transactions under way and is seen by all that come after. Who holds it up for a
second is ended, if it is the holder before: that takes no privilege beyond its own role. Lock and claim are one message, and so one
transaction, that the server carries out to its end by itself: a process that is frozen here holds up nobody's claim.
"""

from collections.abc import Callable

import psycopg
from psycopg import AsyncClientCursor
from psycopg.sql import SQL

from tinyforge.index.database import PROGRAM
from tinyforge.index.errors import ROW_IS_GONE
from tinyforge.index.sessions import Connection, bounded
from tinyforge.index.sql import queries
from tinyforge.ports import Fenced, IndexRefused, Term

_SQL = queries("leaders")
_AT_ONCE = SQL(";\n").join(SQL(_SQL[name]) for name in ("limit_wait", "lock", "claim"))
_SLICE_SECONDS = 1.0
_ANSWER_SECONDS = 3.0  # longer than our lock_timeout; then the link is taken for dead


async def make_claim(connection: Connection, term: Term, *, take_over: bool, give_up: Callable[[], bool]) -> None:
    """Claim a database for a term, in its session; harmless if it has been claimed for this very term before.

    Args:
        connection: a session of `term.session`.
        term: what is claimed.
        take_over: claim it even if another driver or Lease leads it.
        give_up: whether to wait no longer; asked after each second.

    Raises:
        Fenced: somebody has a newer epoch, or this one; the text names who.
        IndexRefused: another driver or Lease leads the database, this program is too old for it, or the row of `leaders` is gone.
        psycopg.Error: PostgreSQL did not take it, or (LockNotAvailable) not in time.
    """
    while True:
        try:
            if await bounded(connection, _attempt(connection, term, take_over=take_over), seconds=_SLICE_SECONDS + _ANSWER_SECONDS):
                return
            await bounded(connection, _say_why_not(connection, term, take_over=take_over), seconds=_ANSWER_SECONDS)
        except psycopg.errors.LockNotAvailable:
            if give_up():
                raise
            ending = connection.execute(_SQL["end_holders_sessions"], {"session": term.session})
            await bounded(connection, ending, seconds=_ANSWER_SECONDS)


async def _attempt(connection: Connection, term: Term, *, take_over: bool) -> bool:
    about = {
        "lock_timeout": f"{_SLICE_SECONDS}s",
        "epoch": term.epoch,
        "holder": term.holder,
        "session": term.session,
        "driver": term.driver,
        "lease": term.lease,
        "take_over": take_over,
        "program": PROGRAM,
    }
    cursor = AsyncClientCursor(connection)
    await cursor.execute(_AT_ONCE, about)
    while cursor.nextset():
        pass
    return cursor.rowcount == 1


async def _say_why_not(connection: Connection, term: Term, *, take_over: bool) -> None:
    """Raise why a claim changed nothing; return if it is no longer so."""
    row = await (await connection.execute(_SQL["refusal"])).fetchone()
    if row is None:
        raise IndexRefused(ROW_IS_GONE)
    epoch, holder, driver, lease, min_program = row
    if min_program > PROGRAM:
        raise IndexRefused(f"the database asks for program {min_program} or newer, and this one is {PROGRAM}: update it")
    if not take_over and (driver not in ("", term.driver) or lease not in ("", term.lease)):
        by = f"driver {driver}" + (f" under Lease {lease}" if lease else "")
        raise IndexRefused(
            f"this database is led by {holder or 'nobody just now'} ({by}); use another database, or claim this one with `--take-over`"
        )
    if epoch > term.epoch or (epoch == term.epoch and holder != term.holder):
        raise superseded(term, epoch=epoch, holder=holder)


def superseded(term: Term, *, epoch: int, holder: str) -> Fenced:
    """Return what ends a term: somebody else's claim."""
    return Fenced(f"{holder or 'another process'} took over with epoch {epoch}; this process had epoch {term.epoch}")
