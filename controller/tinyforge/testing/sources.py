"""The contract of sources."""

from typing import Any, get_args

import pytest

from tinyforge.plugin import Changed, DeploymentIntent, Failed, Outcome, Seen, Skipped, Unchanged
from tinyforge.testing.calls import Call
from tinyforge.testing.contract import PluginContract
from tinyforge.testing.demands import demand

_INTENT = DeploymentIntent(id="request-7", reason="somebody asked for it", parameters={"tag": "1.27", "nested": {"list": [1, None]}})
_METHODS = {"reconcile": (), "deploy": (_INTENT,), "teardown": ()}


class SourceContract(PluginContract):
    """Tests of a source; `tinyforge.testing` says how to use them."""

    @pytest.fixture(params=_METHODS)
    def call(self, request: pytest.FixtureRequest, plugin: Any) -> Call:
        """Each thing that a source is asked."""
        return Call(name=request.param, method=getattr(plugin, request.param), given=_METHODS[request.param], answers=get_args(Outcome))

    def test_asked_again_it_answers_no_worse(self, call: Call, seen: Seen[Any]) -> None:
        """Nobody remembers for sure that it was asked: not after a crash, nor after a change of leader."""
        first, second = self._ask(call, seen), self._ask(call, seen)
        demand(_follows(first, second), f"{call.name}, asked twice for the same, answered {first!r} and then {second!r}")


def _follows(first: object, second: object) -> bool:
    """Whether `second` is an answer to the same question: the same, or that it is done since."""
    return (
        second == first or isinstance(second, Unchanged) or (isinstance(first, Changed | Failed) and isinstance(second, Changed | Skipped))
    )
