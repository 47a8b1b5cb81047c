"""One embedded PostgreSQL server: is it there, start it, stop it. `embedded.py` decides when.

Whoever starts it takes the lock *alive* alone, and leaves it to the server: its processes inherit the descriptor, so the lock is
free when the last of them is gone, and not before. So of several who start it at once one does; nothing that is merely written
down has to be believed about whether a server runs; and a start waits for the orphans of a killed server or initdb. (Looking for
processes in /proc would not do: in a container root may not look at another user's.)
"""

import contextlib
import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass

from tinyforge.standalone.postgres.account import Account, server_account
from tinyforge.standalone.postgres.binaries import programs_for, wheel_programs
from tinyforge.standalone.postgres.cluster import cluster_is_missing, create_cluster
from tinyforge.standalone.postgres.errors import EmbeddedPostgresError
from tinyforge.standalone.postgres.layout import PORT, ROLE, SOCKET, Layout
from tinyforge.standalone.postgres.leftovers import postmaster, remove_leftovers
from tinyforge.standalone.postgres.locks import opened, take

START_SECONDS = 60  # what pg_ctl waits
ANSWER_SECONDS = 10
POLL_SECONDS = 0.02  # neither flock(2) nor a server that starts can be waited for in any other way
STOP_SECONDS = 10  # a checkpoint of 32 MB; a server that takes longer ends by itself, the order is given
LOG_BYTES = 1024 * 1024
CANNOT_CONNECT = 2  # psql(1), exit status
# several may find it missing at once, hence the lock
ENSURE_DATABASE = r"""
SELECT pg_advisory_lock(0);
SELECT 'CREATE DATABASE tinyforge' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'tinyforge') \gexec
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Server:
    """The server of one layout."""

    layout: Layout

    def ensure_running(self) -> None:
        """Leave a server that accepts connections and has our database: the one that is there, else a new one.

        A server that is starting, recovering or stopping is waited for, up to a minute.

        Raises:
            EmbeddedPostgresError: there is none after that; one that is still recovering is left alone.
            OSError: the file system refused.
        """
        launched = False
        deadline = time.monotonic() + START_SECONDS
        while (refusal := self._refusal()) is not None:
            with opened(self.layout.alive) as alive:
                if take(alive):
                    if launched:
                        raise EmbeddedPostgresError(f"PostgreSQL in {self.layout.data} does not start.", output=self.output)
                    self._launch(alive)
                    launched = True
                    deadline = time.monotonic() + START_SECONDS
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL in {self.layout.data} does not answer: see {self.layout.log} and `fuser -v {self.layout.alive}`.",
                    output=refusal,
                )
            time.sleep(POLL_SECONDS)

    def runs(self) -> bool:
        """Tell whether there is a server, well or not, or whether it is being started."""
        with opened(self.layout.alive) as alive:
            return postmaster(self.layout.data) is not None or not take(alive)

    def start(self) -> bool:
        """Start the server unless it runs, and return whether it was started. It may take a moment more until it accepts connections.

        Raises:
            EmbeddedPostgresError: it cannot be started.
            OSError: the file system refused.
        """
        with opened(self.layout.alive) as alive:
            started = take(alive)
            if started:
                self._launch(alive)
        return started

    @property
    def output(self) -> str:
        """The end of what it has written about itself."""
        return self.layout.log.read_bytes()[-4096:].decode(errors="replace")

    def stop(self) -> None:
        """Stop the server, if it is one of ours (it holds the alive lock), by a fast shutdown: sessions end, nothing is lost."""
        deadline = time.monotonic() + STOP_SECONDS
        with opened(self.layout.alive) as alive:
            while not take(alive):
                if time.monotonic() > deadline:
                    extra = {"action": "database_still_stopping"}
                    logger.warning("PostgreSQL in %s is still stopping: see %s", self.layout.data, self.layout.log, extra=extra)
                    return
                self._interrupt()
                time.sleep(POLL_SECONDS)

    def _interrupt(self) -> None:
        """Order a fast shutdown; the server takes no notice of a second order, nor of one that comes before it is ready for it."""
        pid = postmaster(self.layout.data)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)

    def _refusal(self) -> str | None:
        """Ask for a whole session, as ourselves: why there is none, or None if all is well."""
        if not (self.layout.data / SOCKET).exists():
            return "(there is no socket)"
        server = (f"--host={self.layout.data}", f"--port={PORT}", f"--username={ROLE}", "--dbname=postgres")
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1")
        try:
            done = Account().run([wheel_programs() / "psql", *server, *options], text=ENSURE_DATABASE, timeout=ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            return f"(no answer within {ANSWER_SECONDS} s)"
        if done.returncode == CANNOT_CONNECT:
            return done.stdout
        if done.returncode:
            raise EmbeddedPostgresError(f"PostgreSQL in {self.layout.data} cannot provide the database.", output=done.stdout)
        return None

    def _launch(self, alive: int) -> None:
        missing = cluster_is_missing(self.layout.data)
        account = server_account(self.layout.data)
        programs = programs_for(account, beside=self.layout.folder)
        if missing:
            create_cluster(self.layout, programs=programs, account=account, alive=alive)
        remove_leftovers(self.layout.data)
        self._rotate_log()
        log = os.open(self.layout.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            # the shell leaves the server to init, which reaps it: as a child of ours it would be a zombie whenever it ends before us
            account.run(["/bin/sh", "-c", '"$0" "$@" &', programs / "postgres", "-D", self.layout.data], output=log, pass_fds=[alive])
        finally:
            os.close(log)

    def _rotate_log(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.layout.log.stat().st_size > LOG_BYTES:
                self.layout.log.replace(self.layout.log.with_suffix(".log.1"))
