"""The contract of triggers."""

from typing import Any

import pytest

from tinyforge.plugin import DeploymentIntent, InboundEvent, Seen, Skipped
from tinyforge.testing.calls import Call
from tinyforge.testing.contract import PluginContract
from tinyforge.testing.demands import demand

_EVENTS = {
    "manual": InboundEvent(id="request-7", kind="manual", sender="somebody@somewhere"),
    "unknown": InboundEvent(id="event-1", kind="no-such-event", sender=""),
    "hostile": InboundEvent(
        id="event-2", kind="manual", sender="\x1b[31m", body={"": None, "ref": ["x" * 5000], "a": {"b": {"c": [{}, -1, 1e308]}}}
    ),
}


class TriggerContract(PluginContract):
    """Tests of a trigger; `tinyforge.testing` says how to use them."""

    @pytest.fixture(params=["check", *_EVENTS])
    def call(self, request: pytest.FixtureRequest, plugin: Any) -> Call:
        """Each thing that a trigger is asked."""
        if request.param == "check":
            return Call(name="check", method=plugin.check, answers=(DeploymentIntent, type(None)))
        return _receive(plugin, request.param)

    def test_asked_again_it_answers_the_same(self, call: Call, seen: Seen[Any]) -> None:
        """Above all the same intent has the same id, so that it is carried out once."""
        first, second = self._ask(call, seen), self._ask(call, seen)
        demand(first == second, f"{call.name}, asked twice for the same, answered {first!r} and then {second!r}")

    def test_an_event_that_it_does_not_know_is_skipped(self, plugin: Any, seen: Seen[Any]) -> None:
        """There will be more kinds of events than there are now."""
        answer = self._ask(_receive(plugin, "unknown"), seen)
        demand(isinstance(answer, Skipped), f"an event of a kind that nobody knows has to be Skipped, and was answered by {answer!r}")


def _receive(plugin: Any, event: str) -> Call:
    return Call(name=f"receive, {event} event", method=plugin.receive, given=(_EVENTS[event],), answers=(DeploymentIntent, Skipped))
