"""What people ask the leader for, by way of the index: `sync`, `explain`, `forget`, `deploy`.

A request is a row; its answer is written into it. So it works from anywhere that reaches the database, survives a change of leader,
and needs no token. Notifications only say that there is something to look at: the rows are the truth.
"""

import asyncio
import getpass
import os
import socket
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tinyforge.domain.requests import Request, RequestKind
from tinyforge.index.database import Connection, Database
from tinyforge.index.errors import translate
from tinyforge.index.leadership import read_leader
from tinyforge.index.sessions import bounded, connect
from tinyforge.index.sql import queries
from tinyforge.index.texts import storable, storable_json
from tinyforge.ports import IndexUnavailable, Term

ANSWERS = "tinyforge_answers"

_SQL = queries("requests")
_SHOWS_ITS_EFFECT: Mapping[str, str] = {RequestKind.DEPLOY: "workloads", RequestKind.FORGET: "ps"}


class RequestQueue:
    """The leader's side: what is open, and the answers."""

    def __init__(self, *, database: Database, term: Term) -> None:
        self._database = database
        self._term = term

    async def open_requests(self) -> list[Request]:
        """Return what has not been answered yet, oldest first."""

        async def read(connection: Connection) -> list[Request]:
            cursor = await connection.execute(_SQL["open"], {"kinds": list(RequestKind)})
            return [
                Request(id=id_, kind=RequestKind(kind), host=host, argument=argument, by=by)
                for id_, kind, host, argument, by in await cursor.fetchall()
            ]

        return await self._database.run(read)

    async def answer(self, request: Request, outcome: Mapping[str, Any]) -> None:
        """Write the answer to a request; whoever asked is notified."""

        async def write(connection: Connection) -> None:
            await connection.execute(_SQL["answer"], {"id": request.id, "outcome": Jsonb(storable_json(outcome))})

        await self._database.write(self._term, write)


class NobodyLeads(IndexUnavailable):
    """No controller runs on this database; the text says since when."""


async def ask(conninfo: str, *, kind: RequestKind, host: str = "", argument: str = "", timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109 - the deadline is the asker's, and its error says more than TimeoutError
    """Ask the leader for something and return its answer.

    Args:
        conninfo: where the database is.
        kind: what is asked for.
        host: of which host; all if empty.
        argument: what `kind` is about: a container, a workload.
        timeout: how many seconds the answer may take.

    Raises:
        NobodyLeads: no controller runs on this database.
        IndexUnavailable: PostgreSQL does not answer, or the leader did not answer in time; the request stays and will be answered.
    """
    try:
        async with await connect(conninfo, session="tinyforge-cli") as connection:
            about = {"kind": kind, "host": storable(host), "argument": storable(argument), "by": f"{_user()}@{socket.gethostname()}"}
            return await bounded(connection, _ask(connection, about, timeout), seconds=None)
    except psycopg.Error as error:
        raise translate(error) from error


async def _ask(connection: Connection, about: Mapping[str, str], seconds: float) -> Mapping[str, Any]:
    await _refuse_without_leader(connection)
    await connection.execute(f"LISTEN {ANSWERS}")
    cursor = await connection.execute(_SQL["ask"], about)
    (request,) = await cursor.fetchone() or (0,)
    return await _await_answer(connection, request, seconds, shown_by=_SHOWS_ITS_EFFECT.get(about["kind"], "hosts"))


def _user() -> str:
    """Return who asks; in a container that may be a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return str(os.getuid())


async def _await_answer(connection: Connection, request: int, seconds: float, *, shown_by: str) -> Mapping[str, Any]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        cursor = await connection.execute(_SQL["read_answer"], {"id": request})
        row = await cursor.fetchone()
        if row and row[0] is not None:
            outcome: Mapping[str, Any] = row[0]
            return outcome
        left = deadline - loop.time()
        if left <= 0:
            await _refuse_without_leader(connection)
            raise IndexUnavailable(
                f"the controller did not answer within {seconds:g} s; the request stays, and `tinyforge {shown_by}` shows its effect"
            )
        async for _ in connection.notifies(timeout=min(left, 1.0), stop_after=1):
            pass


async def _refuse_without_leader(connection: Connection) -> None:
    leader = await read_leader(connection)
    if leader.alive:
        return
    cursor = await connection.execute(_SQL["last_sign_of_life"])
    (since,) = await cursor.fetchone() or (None,)
    if leader.claimed_at is None:
        raise NobodyLeads("no controller ever ran on this database; start one with `tinyforge run`")
    raise NobodyLeads(
        f"no controller runs on this database: {leader.session and 'the last one'} was last heard of at {since:%Y-%m-%d %H:%M:%S %Z}; "
        "start one with `tinyforge run`"
    )
