"""What we write into the Lease."""

import re
from datetime import UTC, datetime

import pytest

from tinyforge.domain.lease import LeaseTimes
from tinyforge.election import wording


def test_the_times_are_of_the_one_form_that_an_api_server_returns_unchanged():
    lease = wording.taken(holder="a", epoch=3, times=LeaseTimes())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", lease.renewed_at)
    assert lease.acquired_at == lease.renewed_at
    assert (lease.holder, lease.transitions, lease.duration) == ("a", 3, 15.0)


def test_fault_09_a_renewal_says_something_else_even_if_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch):
    class Frozen(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override] # as much of it as is called
            return datetime(2026, 11, 24, 23, 59, 59, 999_999, tzinfo=UTC)

    monkeypatch.setattr(wording, "datetime", Frozen)
    lease = wording.taken(holder="a", epoch=3, times=LeaseTimes())
    for _ in range(3):
        before, lease = lease, wording.renewed(lease)
        assert lease.renewed_at != before.renewed_at
        assert lease.acquired_at == before.acquired_at


def test_a_lease_that_is_given_back_keeps_its_epoch():
    given = wording.given_back(wording.taken(holder="a", epoch=3, times=LeaseTimes()))
    assert (given.holder, given.transitions) == ("", 3)
