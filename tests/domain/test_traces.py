"""Places in traces as W3C Trace Context writes them, and as somebody may write them on an object."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import hexadecimal
from tests.domain.strategies import quick
from tinyforge.domain.traces import Traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PLACES = st.builds(Traceparent, hexadecimal(32), hexadecimal(16), sampled=st.booleans())


def test_a_place_is_written_as_the_standards_own_example() -> None:
    assert str(Traceparent(TRACE, SPAN)) == f"00-{TRACE}-{SPAN}-01"
    assert str(Traceparent(TRACE, SPAN, sampled=False)) == f"00-{TRACE}-{SPAN}-00"


@quick
@given(PLACES)
def test_what_is_written_is_read_again(place: Traceparent) -> None:
    assert Traceparent.parse(str(place)) == place


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-fe", False),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", True),
    ],
)
def test_further_flags_and_newer_versions_are_read_as_far_as_they_are_known(text: str, sampled: bool) -> None:
    assert Traceparent.parse(text) == Traceparent(TRACE, SPAN, sampled=sampled)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TRACE,
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01 ",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 1_000_000}",
        "٠" * 55,
    ],
)
def test_m10_what_is_no_place_in_a_trace_is_none(text: str) -> None:
    assert Traceparent.parse(text) is None


@quick
@given(st.text(max_size=300) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{30,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}(-.*)?", fullmatch=True))
def test_m10_whatever_is_read_is_a_place_that_can_be_written(text: str) -> None:
    place = Traceparent.parse(text)
    if place:
        assert (len(place.trace_id), len(place.span_id)) == (32, 16)
        assert text[3:].startswith(f"{place.trace_id}-{place.span_id}-")
        assert Traceparent.parse(str(place)) == place
