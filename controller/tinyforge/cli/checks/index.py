"""The database, the schema in it, and who leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyforge.cli.checks.check import Check, fail, ok, warn
from tinyforge.cli.silence import START, nobody_leads
from tinyforge.cli.texts import moment
from tinyforge.domain.mirror import Mirror
from tinyforge.index.database import PROGRAM, Database
from tinyforge.index.leadership import OPERATOR, Leader
from tinyforge.index.mirror import read_mirror
from tinyforge.index.reports import Leadership, Reports, Server
from tinyforge.index.schema import SchemaState
from tinyforge.ports import IndexRefused, IndexUnavailable

_OLDEST = 140000  # PostgreSQL 14, as server_version_num has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the index holds that other checks need: what is declared, the engine pinned to each host, and who leads."""

    mirror: Mirror = field(default_factory=lambda: Mirror(hosts={}, workloads={}))
    pinned: Mapping[str, str] = field(default_factory=dict)
    leader: Leader | None = None


async def check_index(database: Database) -> tuple[list[Check], Stored]:
    """Look at the server, the schema and the leader, as far as one stands on the other; return what was found, and what is stored."""
    reports = Reports(database)
    checks: list[Check] = []
    try:
        await database.probe()
        checks += judge_server(await reports.server())
        checks.append(judge_schema(await reports.schema()))
        leadership = await reports.leadership()
        checks.append(judge_leader(leadership))
        pinned = {fact["name"]: fact["engine_id"] for fact in await reports.hosts()}
        return checks, Stored(mirror=await database.run(read_mirror), pinned=pinned, leader=leadership.leader)
    except IndexUnavailable as error:
        return [*checks, fail("database", str(error), "start PostgreSQL, or correct TINYFORGE_DATABASE_URL")], Stored()
    except IndexRefused as error:
        return [*checks, fail("schema" if checks else "database", str(error), "tinyforge migrate" if checks else "see there")], Stored()


def judge_server(server: Server) -> list[Check]:
    """Return what is wrong with a server, or that nothing is."""
    faults = []
    if server.number < _OLDEST:
        faults.append(fail("database", f"PostgreSQL {server.version} is too old", "upgrade it to 14 or newer"))
    if server.read_only:
        finding = f"PostgreSQL {server.version} takes no writes from this role (default_transaction_read_only)"
        faults.append(fail("database", finding, "ALTER ROLE … SET default_transaction_read_only = off, or name another one"))
    if server.encoding != "UTF8":
        finding = f"the database's encoding is {server.encoding}, which cannot hold every name"
        faults.append(fail("database", finding, "make one by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"))
    return faults or [ok("database", f"PostgreSQL {server.version}, a writable primary, {server.encoding}")]


def judge_schema(state: SchemaState) -> Check:
    """Return whether this program can work with a schema."""
    if state.min_program > PROGRAM:
        finding = f"version {state.version} asks for program {state.min_program} or newer, and this one is {PROGRAM}"
        return fail("schema", finding, "update tinyforge")
    if state.pending:
        return warn("schema", f"version {state.version}, pending: {', '.join(state.pending)}", "tinyforge migrate")
    return ok("schema", f"version {state.version}, up to date")


def judge_leader(leadership: Leadership) -> Check:
    """Return whether a leader is there, and who would come after it."""
    leader = leadership.leader
    complaint = nobody_leads(leader)
    if complaint:
        return warn("leader", complaint.partition(":")[0], START)
    driver = f"driver {leader.driver}" + (f", Lease {leader.lease}" if leader.lease else "")
    since = f" since {moment(leader.claimed_at)}" if leader.claimed_at else ""
    standbys = f", standbys: {len(leadership.standbys)}" if leader.driver == OPERATOR else ""
    return ok("leader", f"{leader.holder} leads with epoch {leader.epoch}{since} ({driver}{standbys})")
