"""What sources and triggers have to pass alike. It is not for use by itself: a contract says by the fixture `call` what it asks."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError

from tinyforge.plugin import PLUGIN_API, Seen
from tinyforge.testing.calls import Call
from tinyforge.testing.demands import demand, demand_fit_words
from tinyforge.testing.forms import faults_of_form
from tinyforge.testing.sights import SIGHTS, odd, ordinary

_PLACES = 10  # at as many of them, from the first on, a call is cancelled
_NO_FIELD = "noSuchField"


class PluginContract:
    """Tests of any plugin."""

    answer_seconds: ClassVar[float] = 10.0
    """How many seconds a call may take."""

    @pytest.fixture
    def seen(self, plugin: Any, config: Mapping[str, Any]) -> Seen[Any]:
        """What a plugin looks at, with an example of its config."""
        return ordinary(_read(plugin, config))

    def test_it_was_written_for_this_contract(self, plugin: Any) -> None:
        """Tinyforge refuses it under another."""
        api = getattr(plugin, "api", None)
        demand(type(api) is int and api == PLUGIN_API, f"`api` has to be {PLUGIN_API}, written as a number, and is {api!r}")

    def test_its_example_config_is_accepted(self, plugin: Any, config: Mapping[str, Any]) -> None:
        """It is read as JSON, as Tinyforge reads it."""
        demand(isinstance(plugin.config, type) and issubclass(plugin.config, BaseModel), "`config` has to be a class of pydantic models")
        _read(plugin, config)

    def test_a_field_that_its_config_does_not_know_is_refused(self, plugin: Any, config: Mapping[str, Any]) -> None:
        """Else a mistyped field is a setting that has no effect, and nobody is told."""
        try:
            _read(plugin, {**config, _NO_FIELD: 1})
        except ValidationError as error:
            told = any(_NO_FIELD in detail["loc"] for detail in error.errors(include_url=False))
            demand(told, "a field that is not known has to be refused by its name: use extra='forbid'")
        else:
            raise AssertionError("a mistyped field is taken in silence: give the model extra='forbid'")

    def test_a_form_can_be_made_of_its_config(self, plugin: Any) -> None:
        """Each field says what it is and what it is for; every model in it is closed."""
        faults = list(faults_of_form(json.loads(json.dumps(plugin.config.model_json_schema()))))
        demand(not faults, "; ".join(faults))

    def test_it_answers_in_time_and_with_what_the_contract_knows(self, call: Call, seen: Seen[Any]) -> None:
        """Anything else counts as failed, and says nothing to whoever looks."""
        self._ask(call, seen)

    def test_what_it_says_is_fit_for_people_and_scripts(self, call: Call, seen: Seen[Any]) -> None:
        """It is shown in a status, in logs and in tables."""
        demand_fit_words(call.name, call.ask(seen, seconds=self.answer_seconds))

    def test_it_changes_nothing_of_what_it_is_given(self, call: Call, seen: Seen[Any]) -> None:
        """Others may be given the same."""
        call.demand_nothing_changed(seen, seconds=self.answer_seconds)

    def test_it_ends_when_it_is_cancelled(self, call: Call, seen: Seen[Any]) -> None:
        """Its time may be over, its workload deleted, or Tinyforge stopped, at any place where it waits."""
        for steps in range(1, _PLACES + 1):
            call.cancel(seen, steps=steps, seconds=self.answer_seconds)

    @pytest.mark.parametrize("sight", SIGHTS)
    def test_nothing_that_it_may_see_makes_it_raise(self, call: Call, plugin: Any, config: Mapping[str, Any], sight: str) -> None:
        """Whoever reaches a Docker socket can put any label on a container."""
        self._ask(call, odd(sight, _read(plugin, config)))

    def _ask(self, call: Call, seen: Seen[Any]) -> object:
        answer = call.ask(seen, seconds=self.answer_seconds)
        known = " or ".join("None" if each is type(None) else each.__name__ for each in call.answers)
        demand(isinstance(answer, call.answers), f"{call.name} has to answer {known}, and answered {answer!r}")
        return answer


def _read(plugin: Any, config: Mapping[str, Any]) -> Any:
    return plugin.config.model_validate_json(json.dumps(config))
