"""A leader as a process of its own, which a test can freeze: `python -m tests.index.leader_process WHAT URL EPOCH HOLDER SESSION`.

It says `inside` once it is where the test wants it, waits for a line, goes on, and says how that ended.
"""

import asyncio
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.index.waiting import until
from tests.servers.kernel import is_frozen
from tinyforge.index.assertion import Assertion
from tinyforge.index.database import PROGRAM, Connection, Database
from tinyforge.index.sessions import set_up
from tinyforge.ports import Fenced, Term

ROW = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES (%s, %s, '', 'local')"
FENCE = "SELECT tinyforge.fence(%s, %s, %s)"
LONG = "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT"
WRITERS = 4


class LeaderProcess:
    """Such a process, from where it is inside."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def freeze(self) -> None:
        """Stop it, and return when it is."""
        self._process.send_signal(signal.SIGSTOP)
        while not is_frozen(self._process.pid):
            pass

    def go_on(self) -> str:
        """Let it go on to its end, frozen or not, and return what it says."""
        self._process.send_signal(signal.SIGCONT)
        said, _ = self._process.communicate("go on\n", timeout=30)
        return said.strip()


@contextmanager
def leader_process(what: str, url: str, term: Term) -> Iterator[LeaderProcess]:
    """A leader's process under a term, inside of `what`: transaction, copy in, copy out or writing."""
    command = [sys.executable, "-m", "tests.index.leader_process", what, url, str(term.epoch), term.holder, term.session]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "inside\n"
            yield LeaderProcess(process)
        finally:
            process.kill()


def inside() -> None:
    """Say so, and wait to be told to go on."""
    print("inside", flush=True)  # noqa: T201 - this is how it speaks
    sys.stdin.readline()


async def stall(what: str, url: str, term: Term) -> str:
    """Stop in the middle of a fenced transaction that has written."""
    connection = await psycopg.AsyncConnection.connect(url, application_name=term.session, autocommit=True)
    await set_up(connection)
    try:
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(FENCE, (term.epoch, term.holder, PROGRAM))
            await cursor.execute(ROW, ("late", str(term.epoch)))
            if what == "copy in":
                async with cursor.copy("COPY tinyforge.installation FROM STDIN") as copy:
                    inside()
                    await copy.write("")
            elif what == "copy out":
                async with cursor.copy(LONG) as copy:
                    await copy.read()
                    inside()
                    async for _ in copy:
                        pass
            else:
                inside()
            await cursor.execute(ROW, ("later", str(term.epoch)))
    except psycopg.Error as error:
        return type(error).__name__
    return "committed"


async def write(url: str, term: Term) -> str:
    """Write row after row on several sessions, until each of them is refused."""
    database = Database(url, session=term.session, first_use=Assertion(term).stand)
    await database.open()
    numbers = itertools.count()

    async def one() -> str:
        while True:
            number = next(numbers)

            async def row(connection: Connection, number: int = number) -> None:
                await connection.execute(ROW, (f"{term.epoch}:{number}", str(term.epoch)))

            try:
                await database.write(term, row)
            except Fenced:
                return "Fenced"
            except Exception as error:  # noqa: BLE001 - it is said
                return repr(error)

    writing = [asyncio.create_task(one()) for _ in range(WRITERS)]
    await until(lambda: next(numbers) > 20)
    print("inside", flush=True)  # noqa: T201 - this is how it speaks
    ends = await asyncio.gather(*writing)
    await database.close()
    return " ".join(sorted(set(ends)))


if __name__ == "__main__":
    _, wanted, where, epoch_, holder_, session_ = sys.argv
    term_ = Term(epoch=int(epoch_), holder=holder_, session=session_)
    print(asyncio.run(write(where, term_) if wanted == "writing" else stall(wanted, where, term_)))  # noqa: T201 - this is how it speaks
