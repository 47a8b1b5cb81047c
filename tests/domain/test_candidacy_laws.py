"""The campaign's rules, read out of the whole story of a standby every time anew, agree with what it decides while the story goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import event, given
from hypothesis import strategies as st

from tests.domain.standby import BEATING, FREE, HELD, LEADS, ME, NOBODY_LEADS, OTHER, Standby
from tests.domain.strategies import quick, thorough
from tinyforge.domain.candidacy import Campaign, Candidacy
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import Lease, LeaseTimes

Sessions = dict[int, str | None]


@dataclass(frozen=True)
class Read:
    at: float
    lease: Lease | None


@dataclass(frozen=True)
class Looked:
    at: float
    look: LeadersLook


@dataclass(frozen=True)
class Blind:
    at: float


@dataclass(frozen=True)
class Deaf:
    at: float


Story = Sequence[Read | Looked | Blind | Deaf]


def is_free(story: Story, at: float) -> bool:
    """Whether a campaign is allowed, by the letter of the protocol. The durations in these stories are all believable."""
    reads = [told for told in story if isinstance(told, Read)]
    looks = [told for told in story if isinstance(told, Looked)]
    if not looks or not looks[-1].look.primary or at - looks[-1].at > 5:
        return False
    if not reads or at - reads[-1].at > 4 or any(isinstance(told, Blind) and told.at >= reads[-1].at for told in story):
        return False
    lease, row = reads[-1].lease, looks[-1].look
    if (lease.holder if lease else row.holder) == "":
        return True
    return has_not_changed(reads, at) or ((lease is None or lease.holder == row.holder) and is_dead(story, reads, at))


def has_not_changed(reads: Sequence[Read], at: float) -> bool:
    last = reads[-1].lease
    first = len(reads) - 1
    while first and reads[first].at - reads[first - 1].at <= 4 and spec(reads[first - 1].lease) == spec(last):
        first -= 1
    deleted = reads[first - 1].lease if first else None
    needed = last.duration if last else max(15.0, deleted.duration if deleted else 0.0)
    return at - reads[first].at >= needed


def spec(lease: Lease | None) -> Lease | None:
    return lease and replace(lease, resource_version="")


def is_dead(story: Story, reads: Sequence[Read], at: float) -> bool:
    looks = looks_through_one_session(story)
    if not looks or at - looks[0].at <= 5 or looks[-1].look.server_up <= 5 or at - looks[-1].at > 2:
        return False
    last = looks[-1]
    claims = [(it.look.epoch, it.look.holder, it.look.session) for it in looks]
    begin = max((i for i in range(1, len(looks)) if looks[i].at - looks[i - 1].at > 2 or claims[i] != claims[i - 1]), default=0)
    looks = looks[begin:]
    return any(
        last.at - earlier.at >= 0.45
        and was_read_before(reads, earlier.at, story)
        and all(found_dead(looks, i) for i in range(k, len(looks)))
        for k, earlier in enumerate(looks)
    )


def looks_through_one_session(story: Story) -> Sequence[Looked]:
    found: list[Looked] = []
    for told in reversed(story):
        if isinstance(told, Deaf) or (isinstance(told, Looked) and not told.look.primary):
            break
        if isinstance(told, Looked):
            found.insert(0, told)
    return found


def found_dead(looks: Sequence[Looked], i: int) -> bool:
    """Whether a look found no session, or none of them had done anything for 5 s."""
    quiet = i
    while quiet and not moved(looks[quiet - 1].look.sessions, looks[quiet].look.sessions):
        quiet -= 1
    return not looks[i].look.sessions or looks[i].at - looks[quiet].at >= 5


def moved(before: Mapping[int, str | None], now: Mapping[int, str | None]) -> bool:
    return None in now.values() or not now.items() <= before.items()


def was_read_before(reads: Sequence[Read], moment: float, story: Story) -> bool:
    """Whether the version of the Lease that is to be written over was known before a look of that moment."""
    before = story[: next(i for i, told in enumerate(story) if isinstance(told, Looked) and told.at == moment)]
    known = [told for told in before if isinstance(told, Read)]
    later = reads[len(known) :]
    return bool(known) and all(version(it.lease) == version(known[-1].lease) for it in later)


def version(lease: Lease | None) -> str | None:
    return lease.resource_version if lease else None


leases = st.sampled_from((
    HELD, HELD, HELD, replace(HELD, resource_version="42"), replace(HELD, renewed_at="10:07", resource_version="43"),
    replace(HELD, holder=OTHER, resource_version="44"), replace(HELD, duration=5), replace(HELD, duration=5, resource_version="45"),
    replace(HELD, duration=20, resource_version="46"), None, None, FREE,
))  # fmt: skip
rows = st.sampled_from((
    LEADS, LEADS, LEADS, LEADS, LEADS, NOBODY_LEADS, replace(LEADS, holder=OTHER), replace(LEADS, epoch=9), replace(LEADS, session="other"),
    replace(LEADS, primary=False), replace(LEADS, server_up=5.0),
))  # fmt: skip
sessions: st.SearchStrategy[Sessions | str] = st.sampled_from(
    (BEATING, {}, {}, {1: "a", 2: "b"}, {1: "a", 2: "b"}, {2: "b"}, {1: "a", 3: None})
)


@dataclass(frozen=True)
class Chapter:
    """Some time in which nothing else happens; `reads_every`, `looks_every` and the length are in half seconds, 0 is never."""

    lease: Lease | None
    row: LeadersLook
    sessions: Sessions | str
    length: int
    reads_every: int
    looks_every: int
    begins_with: type[Blind | Deaf] | None


chapters = st.builds(
    Chapter,
    lease=leases,
    row=rows,
    sessions=sessions,
    length=st.integers(1, 4) | st.integers(9, 40),
    reads_every=st.sampled_from((4, 4, 4, 4, 8, 9, 0)),
    looks_every=st.sampled_from((1, 1, 1, 1, 1, 3, 5, 0)),
    begins_with=st.sampled_from((None, None, None, None, Blind, Deaf)),
)


def told(chapter: Chapter, step: int, now: float) -> Story:
    tale: list[Read | Looked | Blind | Deaf] = []
    if chapter.begins_with and step == 0:
        tale.append(chapter.begins_with(now))
    if chapter.reads_every and step % chapter.reads_every == 0 and not (chapter.begins_with is Blind and step == 0):
        tale.append(Read(now, chapter.lease))
    if chapter.looks_every and step % chapter.looks_every == 0:
        seen = {1: f"{now}"} if isinstance(chapter.sessions, str) else chapter.sessions
        tale.append(Looked(now, replace(chapter.row, sessions=seen)))
    return tale


def tell(candidacy: Candidacy, tale: Story) -> None:
    for it in tale:
        match it:
            case Read():
                candidacy.saw(it.lease, at=it.at)
            case Looked():
                candidacy.looked(it.look, at=it.at)
            case Blind():
                candidacy.blind(at=it.at)
            case Deaf():
                candidacy.deaf(at=it.at)


@thorough
@given(st.lists(chapters, min_size=1, max_size=6))
def test_a_standby_campaigns_exactly_when_the_protocol_allows_it(chapters: list[Chapter]) -> None:
    candidacy = Candidacy(holder=ME, times=LeaseTimes(), started_at=0.0)
    story: list[Read | Looked | Blind | Deaf] = []
    now = 0.0
    for chapter in chapters:
        for step in range(chapter.length):
            tale = told(chapter, step, now)
            story.extend(tale)
            tell(candidacy, tale)
            now += 0.25
            decision = candidacy.decide(at=now)
            now += 0.25
            assert isinstance(decision, Campaign) is is_free(story, now - 0.25), decision
            assert decision.reason.isprintable()
            if isinstance(decision, Campaign):
                check(decision, story)


def check(campaign: Campaign, story: Story) -> None:
    lease = [it.lease for it in story if isinstance(it, Read)][-1]
    row = [it.look for it in story if isinstance(it, Looked)][-1]
    event("by " + ("PostgreSQL" if "in PostgreSQL for" in campaign.reason else "the count" if " of " in campaign.reason else "freedom"))
    assert campaign.over == lease
    assert campaign.epoch == max(lease.transitions if lease else 0, row.epoch) + 1


@quick
@given(st.lists(chapters, max_size=4))
def test_whatever_was_before_a_lease_that_nobody_renews_is_free_one_duration_after_everything_answers(chapters: list[Chapter]) -> None:
    standby = Standby()
    for chapter in chapters:
        for step in range(chapter.length):
            tell(standby.candidacy, told(chapter, step, standby.now))
            standby.now += 0.5
    standby.leaders = replace(LEADS, holder=OTHER)  # so that nobody can be seen dead
    standby.reads(HELD).goes_on(15).campaigns()


outages = st.lists(st.tuples(st.sampled_from(("api", "postgresql", "both", "neither")), st.integers(1, 60), st.integers(0, 9)), max_size=6)


@quick
@given(outages, st.integers(0, 3))
def test_no_outage_that_leader_and_standby_share_deposes_a_leader_that_is_healthy(outages: list[tuple[str, int, int]], phase: int) -> None:
    """It renews its Lease 2 s after the API server is back, and connects again to PostgreSQL within 4.5 s."""
    standby = Standby()
    step, renewed, connects_at = phase, 0, 0
    for away, length, slow in [*outages, ("neither", 60, 0)]:
        for _ in range(length):
            step, standby.now = step + 1, standby.now + 0.5
            if away in ("api", "both"):
                standby.candidacy.blind(at=standby.now)
            else:
                renewed = step if step - renewed >= 4 else renewed
                standby.reads(replace(HELD, renewed_at=f"{renewed}", resource_version=f"{renewed}"))
            if away in ("postgresql", "both"):
                connects_at = step + 1 + slow
                standby.candidacy.deaf(at=standby.now)
            else:
                standby.sessions = BEATING if step >= connects_at else {}
                standby.looks()
            standby.waits()
