"""What a dispatch is linked to: nothing is remembered of what is gone, and what was not recorded is no news."""

from tinyforge.domain.traces import Traceparent
from tinyforge.reconcile.trace_links import TraceLinks

SHOP, HOST = "default/shop", "local"


def place(digit: int) -> Traceparent:
    return Traceparent(f"{digit}" * 32, f"{digit}" * 16)


def test_a_workload_of_which_nothing_is_known_is_linked_to_nothing() -> None:
    assert TraceLinks().of(SHOP, HOST) == {}


def test_the_last_recorded_ones_count_and_those_that_were_not_recorded_leave_them_be() -> None:
    links = TraceLinks()
    for digit in (1, 2):
        links.passed(HOST, place(digit))
        links.dispatched(SHOP, place(digit + 2))
    links.passed(HOST, None)
    links.dispatched(SHOP, None)
    assert links.of(SHOP, HOST) == {"pass": place(2), "previous_dispatch": place(4)}
    assert links.of("default/other", "other") == {}


def test_what_is_no_longer_declared_is_forgotten_and_what_objects_say_is_taken_anew() -> None:
    links = TraceLinks()
    links.passed(HOST, place(1))
    links.dispatched(SHOP, place(2))
    links.declared({HOST}, {SHOP}, {SHOP: place(3)})
    assert links.of(SHOP, HOST) == {"pass": place(1), "previous_dispatch": place(2), "object": place(3)}
    links.declared({HOST}, set(), {})
    assert links.of(SHOP, HOST) == {"pass": place(1)}
    links.declared(set(), set(), {})
    assert links.of(SHOP, HOST) == {}
