"""One thing that was checked."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands with a thing."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at, what was found, and how to mend it; `mend` is empty where there is nothing to do."""

    subject: str
    verdict: Verdict
    finding: str
    mend: str = ""


def ok(subject: str, finding: str) -> Check:
    """Return that a thing is as it should be."""
    return Check(subject=subject, verdict=Verdict.OK, finding=finding)


def warn(subject: str, finding: str, mend: str) -> Check:
    """Return that a thing works, and will not or not fully."""
    return Check(subject=subject, verdict=Verdict.WARN, finding=finding, mend=mend)


def fail(subject: str, finding: str, mend: str) -> Check:
    """Return that a thing does not work."""
    return Check(subject=subject, verdict=Verdict.FAIL, finding=finding, mend=mend)
