"""How a plugin falls short: what bad_configs, bad_sources and bad_triggers are made of.

They are plugins with one fault each, and the tests of the contract that have to say so. `test_contract` runs them as somebody else's tests
are run: by pytest alone, without any of its plugins and without this project's settings.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tinyforge.plugin import Changed, Skipped, Unchanged
from tinyforge.testing import SourceContract, TriggerContract, calls

API = "it_was_written_for_this_contract"
EXAMPLE = "its_example_config_is_accepted"
CLOSED = "a_field_that_its_config_does_not_know_is_refused"
FORM = "a_form_can_be_made_of_its_config"
ANSWERS = "it_answers_in_time_and_with_what_the_contract_knows"
WORDS = "what_it_says_is_fit_for_people_and_scripts"
PURE = "it_changes_nothing_of_what_it_is_given"
CANCEL = "it_ends_when_it_is_cancelled"
SIGHTS = "nothing_that_it_may_see_makes_it_raise"
AGAIN = "asked_again_it_answers_no_worse"
SAME = "asked_again_it_answers_the_same"
UNKNOWN = "an_event_that_it_does_not_know_is_skipped"


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tags: Annotated[list[str], Field(description="What is told apart.")] = []


class Source:
    api: Any = 1
    config: Any = Config

    async def reconcile(self, seen: Any) -> Any:
        for _ in range(3):
            await asyncio.sleep(0)
        return Unchanged()

    async def deploy(self, seen: Any, intent: Any) -> Any:
        return Changed(message="deployed")

    async def teardown(self, seen: Any) -> Any:
        return Unchanged()


class Trigger:
    api = 1
    config = Config

    async def check(self, seen: Any) -> Any:
        return None

    async def receive(self, seen: Any, event: Any) -> Any:
        return Skipped(reason="NobodyIsHeard", message="nobody is heard")


class Case:
    """What is told of a plugin: the tests that it fails, and a sentence of theirs."""

    answer_seconds = 0.5
    made: type
    fails: frozenset[str]
    says: str

    @pytest.fixture(autouse=True)
    def hang_for_less(self, monkeypatch):
        monkeypatch.setattr(calls, "_LONGEST_BLOCK", 0.3)
        monkeypatch.setattr(calls, "_GRACE", 0.5)

    @pytest.fixture
    def plugin(self):
        return self.made()

    @pytest.fixture
    def config(self):
        return {"tags": ["a"]}


def fails(*tests: str, says: str = "") -> Callable[[type], Any]:
    """Turn a plugin into the contract's tests of it."""

    def case(plugin: type) -> type:
        contract = SourceContract if issubclass(plugin, Source) else TriggerContract
        return type(plugin.__name__, (Case, contract), {"made": plugin, "fails": frozenset(tests), "says": says})

    return case
