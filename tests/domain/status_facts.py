"""What statuses are made of, smallest first, and what hypothesis draws: every outcome, and foreign text wherever there may be any."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from tests.domain.strategies import HOSTILE
from tinyforge.domain.conditions import Condition, ConditionStatus
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.domain.host_status import WhyUnknown
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.traces import Traceparent
from tinyforge.domain.workload_status import CountedContainer, HostFacts, WorkloadFacts

SEEN = datetime(2026, 11, 24, 8, 12, 3, 450_000, tzinfo=UTC)
REASON = r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
"""What Kubernetes takes as a condition's reason (metav1.Condition)."""

DRIFT = DispatchReport(
    outcome=DispatchOutcome.FAILED,
    reason="Drift",
    message="web runs app:1, not app:2",
    retry_after=0.0,
    trace=Traceparent("a" * 32, "b" * 16),
)
BAD_CONFIG = DispatchReport(outcome=DispatchOutcome.FAILED, reason="InvalidConfig", message="spec.source.config.roles: is no map")


def host(why_unknown: str = "", message: str = "", as_of: datetime | None = SEEN) -> HostFacts:
    return HostFacts(name="vps1", why_unknown=why_unknown, message=message, as_of=as_of)


def counted(**states: str) -> tuple[CountedContainer, ...]:
    """Containers by their role."""
    return tuple(CountedContainer(row=f"shop/web:{role}", role=role, state=state) for role, state in states.items())


def facts(
    *containers: CountedContainer, about: HostFacts | None = None, suspended: bool = False, dispatch: DispatchReport | None = None
) -> WorkloadFacts:
    return WorkloadFacts(host=about or host(), containers=containers, suspended=suspended, dispatch=dispatch)


def by_type(conditions: tuple[Condition, ...]) -> dict[str, tuple[ConditionStatus, str]]:
    """Status and reason of every condition."""
    return {condition.type: (condition.status, condition.reason) for condition in conditions}


def texts(longest: int = 30) -> st.SearchStrategy[str]:
    """Foreign text, a lone surrogate now and then, and sometimes far too much of it."""
    anything = st.text(st.characters(), max_size=longest)
    return st.sampled_from(("", "Drift", *HOSTILE)) | anything | st.builds(str.__mul__, anything, st.integers(1, 100))


def hexadecimal(digits: int) -> st.SearchStrategy[str]:
    """The id of a trace (32 digits) or a span (16)."""
    return st.text("0123456789abcdef", min_size=digits, max_size=digits).filter(lambda text: int(text, 16))


def dispatches() -> st.SearchStrategy[DispatchReport]:
    return st.builds(
        DispatchReport,
        outcome=st.sampled_from(DispatchOutcome),
        reason=texts(),
        message=texts(),
        retry_after=st.none() | st.floats(0, 1e9),
        trace=st.none() | st.builds(Traceparent, hexadecimal(32), hexadecimal(16)),
    )


def host_facts() -> st.SearchStrategy[HostFacts]:
    return st.builds(
        HostFacts,
        name=st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True),
        why_unknown=st.just("") | st.sampled_from(WhyUnknown) | texts(),
        message=texts(),
        as_of=st.none() | moments(),
    )


def workload_facts() -> st.SearchStrategy[WorkloadFacts]:
    container = st.builds(
        CountedContainer,
        row=texts().map(lambda name: f"shop/web:{name}"),
        role=st.sampled_from(("", "web", "db")) | texts(),
        state=st.sampled_from(("running",) * 9 + ("stopped", "missing", "unknown", "paused")) | texts(),
    )
    return st.builds(
        WorkloadFacts,
        host=st.builds(host) | host_facts(),
        containers=st.lists(container, max_size=12).map(tuple),
        suspended=st.booleans(),
        dispatch=st.none() | dispatches(),
    )


def passes() -> st.SearchStrategy[PassReport]:
    count = st.integers(0, 9)
    return st.builds(
        PassReport,
        host=st.just("vps1"),
        outcome=st.sampled_from(PassOutcome),
        reason=st.sampled_from(("Timeout", "EngineChanged", "HostSuspended")) | texts(),
        message=texts(),
        listed=count,
        matched=count,
        ignored=count,
        written=count,
        missing=count,
        duration_seconds=st.floats(0, 1000),
        engine=st.none() | st.builds(EngineIdentity, engine_id=texts(), version=texts(), api_version=texts()),
        trace=st.none() | st.builds(Traceparent, hexadecimal(32), hexadecimal(16)),
    )


def moments() -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
