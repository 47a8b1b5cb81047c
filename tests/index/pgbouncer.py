"""A real PgBouncer before a server of the tests, in a mode of its own."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.servers.postgres import cluster_folder
from tinyforge.standalone.postgres.account import server_account

START_SECONDS = 20


@contextmanager
def pgbouncer(url: str, **settings: str | int) -> Iterator[str]:
    """A PgBouncer with these settings; yields the address of the database behind it."""
    server = conninfo_to_dict(url)
    with cluster_folder() as folder:
        account = server_account(folder / "none")  # it does not run as root either
        (folder / "users").write_text(f'"{server["user"]}" ""\n')
        lines = [f"{name} = {value}" for name, value in settings.items()]
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server['host']} port={server.get('port', 5432)}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
            f"unix_socket_dir = {folder}\nauth_type = trust\nauth_file = {folder}/users\n" + "\n".join(lines) + "\n"
        )
        folder.chmod(0o777)  # its socket is made in there
        through = make_conninfo(url, host=str(folder), port=6432)
        log = folder / "pgbouncer.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["pgbouncer", folder / "pgbouncer.ini"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.uid is None else [],
                env={"PATH": os.defpath + ":/usr/sbin"},
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not (folder / ".s.PGSQL.6432").exists():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.01)
            yield through
        finally:
            process.kill()
            process.wait()


def numbers(url: str, sessions: int) -> set[int]:
    """Have so many transactions at once, and return the numbers of their sessions: they are idle in the pool afterwards."""
    connections = [psycopg.connect(url) for _ in range(sessions)]
    try:
        return {connection.execute("SELECT pg_backend_pid()").fetchall()[0][0] for connection in connections}
    finally:
        for connection in connections:
            connection.rollback()
            connection.close()
