"""PostgreSQL for the tests: real servers from the same programs as the embedded one, without fsync, on unix sockets only.

Fixtures (a plugin of tests/conftest.py):

* `database_url`: a fresh database with the schema, for this test alone;
* `empty_database_url`: the same without the schema;
* `own_postgres`: a server for this test alone, to be stopped, killed and started again; its `url` has the schema;
* `postgres_server`: the server of the first two, or the one that TINYFORGE_TEST_DATABASE_URL names (a role that may create databases).
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, LiteralString
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from tests.servers.folders import roomy
from tinyforge.standalone.postgres.account import Account, server_account
from tinyforge.standalone.postgres.binaries import programs_for
from tinyforge.standalone.postgres.cluster import OPTIONS

START_SECONDS = 30
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "io_method": "sync",
    "fsync": "off",
    "autovacuum": "off",  # its workers keep a template from being copied
    "log_checkpoints": "off",
}


class Postgres:
    """A server, known by the URL of one of its databases."""

    def __init__(self, url: str) -> None:
        self.url = url

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        parameters = conninfo_to_dict(self.url)
        parameters.pop("dbname", None)
        return f"postgresql:///{quote(database)}?{urlencode(parameters, quote_via=quote)}"

    def sql(self, statement: LiteralString, *parameters: object, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement in a session of its own, committed at once, and return its rows."""
        with psycopg.connect(url or self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """A database for the length of a block; yields its name."""
        name = f"tinyforge_{uuid.uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        try:
            yield name
        finally:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


class OwnPostgres(Postgres):
    """A server of our own, with its data in `data`; it can be stopped, killed and started again."""

    def __init__(self, data: Path, programs: Path, account: Account) -> None:
        super().__init__(f"postgresql://tinyforge@{quote(str(data), safe='')}:5432/tinyforge")
        self.data = data
        self.log = data.with_name("postgres.log")
        self._programs = programs
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._life = -1

    @property
    def pid(self) -> int:
        """The process number of the postmaster."""
        assert self._process, "the server does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        assert self._process is None, "the server runs already"
        self._life, death = os.pipe()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                pass_fds=[death],
                user=self._account.uid,
                group=self._account.gid,
                extra_groups=None if self._account.uid is None else [],
            )
        os.close(death)
        self._wait_until_it_answers()

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop it and wait until it is gone; nothing happens if it does not run."""
        self._end(SIGNALS[mode])

    def kill(self) -> None:
        """kill -9 the postmaster, and wait until its orphans have noticed and are gone too."""
        self._end(signal.SIGKILL)

    def _end(self, signal_number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        self._process.send_signal(signal.SIGCONT)  # a server that a test froze, and failed, would never end
        self._process.wait()
        self._process = None
        os.read(self._life, 1)  # ends when the last process of the server has, for all have inherited the other side
        os.close(self._life)

    def _wait_until_it_answers(self) -> None:
        assert self._process
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url_of("postgres")).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.02)
            else:
                return


@contextmanager
def cluster_folder(within: Path | None = None) -> Iterator[Path]:
    """A folder that the account of the server can pass through, with a path short enough for a socket (pytest's are neither)."""
    folder = Path(tempfile.mkdtemp(prefix="tinyforge-", dir=within or roomy()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def own_server(pristine: Path, programs: Path) -> Iterator[OwnPostgres]:
    """A started server on a copy of a data folder."""
    account = server_account(pristine)
    with cluster_folder() as folder:
        data = folder / "data"
        subprocess.run(["cp", "-a", "--reflink=auto", pristine, data], check=True)
        server = OwnPostgres(data, programs, account)
        try:
            server.start()
            yield server
        finally:
            server.stop("immediate")


def migrated(url: str) -> None:
    """Bring the schema of a database up to date, from a fixture that may or may not run inside an event loop."""
    from tinyforge.index.schema import migrate  # noqa: PLC0415 - who tests no index need not have one

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, migrate(url)).result()


@pytest.fixture(scope="session")
def postgres_programs() -> Iterator[Path]:
    """The folder of initdb, postgres and psql."""
    with cluster_folder(Path(tempfile.gettempdir())) as folder:  # programs may not be run from memory everywhere
        yield programs_for(server_account(folder / "none"), beside=folder)


@pytest.fixture(scope="session")
def pristine_postgres(postgres_programs: Path) -> Iterator[Path]:
    """A data folder with an empty database `tinyforge`, to be copied: initdb takes four times as long."""
    with cluster_folder() as folder:
        data = folder / "pristine"
        account = server_account(data)
        data.mkdir(mode=0o700)
        if account.uid is not None and account.gid is not None:
            os.chown(data, account.uid, account.gid)
        settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
        created = account.run([postgres_programs / "initdb", f"--pgdata={data}", "--no-sync", "--wal-segsize=1", *OPTIONS, *settings])
        assert created.returncode == 0, created.stdout
        single = account.run([postgres_programs / "postgres", "--single", "-D", data, "template1"], text="CREATE DATABASE tinyforge\n")
        assert single.returncode == 0, single.stdout
        yield data


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    if url := os.environ.get("TINYFORGE_TEST_DATABASE_URL"):
        yield Postgres(url)
        return
    with own_server(request.getfixturevalue("pristine_postgres"), request.getfixturevalue("postgres_programs")) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Postgres) -> Iterator[str]:
    with postgres_server.database() as name:
        migrated(postgres_server.url_of(name))
        yield name


@pytest.fixture
def database_url(postgres_server: Postgres, migrated_template: str) -> Iterator[str]:
    with postgres_server.database(template=migrated_template) as name:
        yield postgres_server.url_of(name)


@pytest.fixture
def empty_database_url(postgres_server: Postgres) -> Iterator[str]:
    with postgres_server.database() as name:
        yield postgres_server.url_of(name)


@pytest.fixture
def own_postgres(pristine_postgres: Path, postgres_programs: Path) -> Iterator[OwnPostgres]:
    with own_server(pristine_postgres, postgres_programs) as server:
        migrated(server.url)
        yield server
