"""When a leader claimed and first wrote, as the journal of triggers tells it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

PATIENCE = 60.0  # seconds
LOOK_SECONDS = 0.02
NOW = "SELECT clock_timestamp()"
TAKEOVER = """
SELECT extract(epoch FROM claim.at - %(since)s)::float8, extract(epoch FROM min(work.at) - %(since)s)::float8
FROM journal AS claim JOIN journal AS work ON work.session = claim.session AND work.number > claim.number
WHERE claim.claimed = %(epoch)s AND work.claimed IS NULL
GROUP BY claim.at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """How long after its predecessor was lost a leader had claimed, and wrote its first row, in seconds."""

    claimed: float
    worked: float


class Moments:
    """What is looked up in one database, whose clock is the only one: its server may be another machine."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def now(self) -> datetime:
        """The time."""
        (now,) = self._connection.execute(NOW).fetchall()[0]
        assert isinstance(now, datetime)
        return now

    def takeover(self, epoch: int, *, since: datetime) -> Takeover:
        """Wait until whoever claims an epoch has written a row, and return how long after a moment that was."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self._connection.execute(TAKEOVER, {"epoch": epoch, "since": since}).fetchall()):
            assert time.monotonic() < deadline, f"nobody has written under epoch {epoch} within {PATIENCE:.0f} s"
            time.sleep(LOOK_SECONDS)
        ((claimed, worked),) = found
        return Takeover(claimed=claimed, worked=worked)


@contextmanager
def moments_of(url: str) -> Iterator[Moments]:
    """Look into the journal of a database for the length of a block, over one connection: a new one costs PostgreSQL a process."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield Moments(connection)
