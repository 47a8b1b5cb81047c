"""A real streaming standby of a server of the tests, which can be made to lag and be promoted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.servers.postgres import OwnPostgres, cluster_folder
from tinyforge.standalone.postgres.account import server_account


class Standby(OwnPostgres):
    """An asynchronous standby."""

    def has(self, primary: OwnPostgres) -> bool:
        """Whether all that its primary has written is here."""
        ((position,),) = primary.sql("SELECT pg_current_wal_lsn()::text")
        return self.sql("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position) == [(True,)]

    def lag(self) -> None:
        """Hear no more of the primary."""
        self.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("SELECT pg_reload_conf()")

    def streams(self) -> bool:
        """Whether it hears of the primary."""
        return self.sql("SELECT count(*) FROM pg_stat_wal_receiver") == [(1,)]

    def promote(self) -> None:
        """Become a primary, and return when it is one."""
        assert self.sql("SELECT pg_promote()") == [(True,)]


@contextmanager
def standby_of(primary: OwnPostgres, programs: Path) -> Iterator[Standby]:
    """A started standby of a server that runs."""
    account = server_account(primary.data)
    with cluster_folder() as folder:
        data = folder / "data"
        data.mkdir(mode=0o700)
        if account.uid is not None and account.gid is not None:
            os.chown(data, account.uid, account.gid)
        user = conninfo_to_dict(primary.url)["user"]
        source = [f"--host={primary.data}", "--port=5432", f"--username={user}"]
        options = [f"--pgdata={data}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        copied = account.run([programs / "pg_basebackup", *source, *options])
        assert copied.returncode == 0, copied.stdout
        (data / ".s.PGSQL.5432.lock").unlink(missing_ok=True)  # the primary's, whose socket is among its data
        standby = Standby(data, programs, account)
        try:
            standby.start()
            yield standby
        finally:
            standby.stop("immediate")


def either(primary: OwnPostgres, standby: OwnPostgres) -> str:
    """The address of whichever of the two answers, the primary first."""
    return make_conninfo(primary.url, host=f"{primary.data},{standby.data}", port="5432,5432")
