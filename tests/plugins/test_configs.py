"""What a workload gets of its plugin: a config that the plugin's own model has read, or a sentence that helps and gives nothing away."""

import json
from datetime import time
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tinyforge.plugin import PLUGIN_API
from tinyforge.reconcile.plugins import Broken, FaultReason, Loaded, Origin, PluginFault, Plugins, Prepared

ORIGIN = Origin(distribution="their-plugins", version="2.1")


def plugins(model: type[BaseModel]) -> Plugins:
    loaded: Loaded[Any] = Loaded(
        kind="theirs", origin=ORIGIN, plugin=object(), api=PLUGIN_API, config=model, schema=model.model_json_schema()
    )
    broken = Broken(kind="cracked", origin=ORIGIN, why="it has no method deploy")
    return Plugins(sources=(loaded, broken), triggers=(loaded, broken))


def refused(model: type[BaseModel], config: dict[str, Any], reason: FaultReason = FaultReason.CONFIG_INVALID) -> str:
    fault = plugins(model).source("theirs", config)
    assert isinstance(fault, PluginFault)
    assert fault.reason is reason
    return fault.message


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Closed):
    image: Annotated[str, Field(max_length=5, description="What it runs.")]
    count: int = 1


class Pipeline(Closed):
    steps: tuple[Step, ...] = ()
    named: dict[Annotated[str, Field(max_length=3)], Step] = Field(default_factory=dict)
    maybe: Step | None = None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    at: time
    hosts: tuple[str, ...]
    nested: dict[str, Any]


def test_a_config_that_is_right_is_read_by_the_plugins_own_model() -> None:
    prepared = plugins(Pipeline).source("theirs", {"steps": [{"image": "nginx"}]})
    assert isinstance(prepared, Prepared)
    assert prepared.config == Pipeline(steps=(Step(image="nginx"),))


def test_a_strict_model_reads_what_json_has_no_other_word_for() -> None:
    prepared = plugins(Strict).trigger("theirs", {"at": "03:00", "hosts": ["a"], "nested": {}})
    assert isinstance(prepared, Prepared)
    assert prepared.config == Strict(at=time(3), hosts=("a",), nested={})


def test_what_a_plugin_does_to_its_config_does_not_reach_what_is_declared() -> None:
    declared = {"at": "03:00", "hosts": [], "nested": {"deep": {"list": [1]}}}
    prepared = plugins(Strict).source("theirs", declared)
    assert isinstance(prepared, Prepared)
    prepared.config.nested["deep"]["list"].append(2)
    assert declared["nested"] == {"deep": {"list": [1]}}


@pytest.mark.parametrize(
    ("config", "faults"),
    [
        ({"stepps": []}, "spec.source.config.stepps: no such field; known here: steps, named, maybe"),
        ({"steps": [{"image": "a"}, {"immage": "b", "image": "a"}]}, "steps[1].immage: no such field; known here: image, count"),
        ({"named": {"web": {"image": "a", "x": 1}}}, "named.web.x: no such field; known here: image, count"),
        ({"maybe": {"image": "a", "x": 1}}, "maybe.x: no such field; known here: image, count"),
        ({"steps": [{}]}, "steps[0].image: is missing: What it runs."),
        ({"maybe": {}}, "maybe.image: is missing: What it runs."),
        ({"maybe": {"image": "a", "count": "many"}}, "maybe.count: should be a valid integer"),
        ({"maybe": {"image": "a", "count": None}}, "maybe.count: should be a valid integer"),
        ({"maybe": {"image": "longer"}}, "maybe.image: String should have at most 5 characters"),
        ({"named": {"long": {"image": "a"}}}, "named.long: String should have at most 3 characters"),
        ({"steps": "all"}, "steps: should be a valid array"),
    ],
)
def test_what_is_wrong_is_said_by_its_field_and_with_the_way_out(config: dict[str, Any], faults: str) -> None:
    message = refused(Pipeline, config)
    assert faults in message
    assert message.startswith('the source "theirs" (their-plugins 2.1) refuses spec.source.config.')


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    message = refused(Pipeline, {f"field{number}": number for number in range(50)})
    assert message.count("no such field") == 5
    assert message.endswith("; and 45 more faults")


def test_a_triggers_fault_names_the_trigger_and_its_field() -> None:
    fault = plugins(Pipeline).trigger("theirs", {"x": 1})
    assert fault == PluginFault(
        reason=FaultReason.CONFIG_INVALID,
        message='the trigger "theirs" (their-plugins 2.1) refuses spec.trigger.config.x: no such field; known here: steps, named, maybe',
    )


class Http(Closed):
    by: Literal["http"]
    url: str


class Shell(Closed):
    by: Literal["shell"]
    command: str


class Repeating(Closed):
    """What repeats a value in its sentence: validators do, and pydantic in a case or two."""

    text: str = ""
    number: int = 0
    custom: str = ""
    tagged: Annotated[Http | Shell, Field(discriminator="by")] | None = None
    checked: dict[str, Any] = Field(default_factory=dict)

    @field_validator("text", "number")
    @classmethod
    def _refuse(cls, value: object) -> object:
        raise ValueError(f"{value} ({value!r}) will not do")

    @field_validator("custom")
    @classmethod
    def _refuse_in_other_words(cls, value: str) -> str:
        raise PydanticCustomError("custom", "no {value}", {"value": value.strip()})

    @model_validator(mode="after")
    def _refuse_all(self) -> "Repeating":
        assert not self.checked, f"{self.checked}"
        return self


@pytest.mark.parametrize("field", ["text", "number", "custom", "checked"])
@given(number=st.integers(min_value=100_000), text=st.text(max_size=20))
def test_no_value_is_ever_repeated(field: str, number: int, text: str) -> None:
    secret = {"text": f"hunter2{text}", "number": number, "custom": f" hunter2{text}", "checked": {"a": [f"hunter2{text}", number]}}
    message = refused(Repeating, {field: secret[field]})
    assert "hunter2" not in message
    assert str(number) not in message


def test_of_a_value_that_holds_another_nothing_is_left_over() -> None:
    assert "tail" not in refused(Repeating, {"checked": {"short": "hunter2", "long": "hunter2 and a tail"}})


def test_no_tag_of_a_choice_is_repeated() -> None:
    message = refused(Repeating, {"tagged": {"by": "hunter2"}})
    assert "tag '***' found using 'by' does not match any of the expected tags: 'http', 'shell'" in message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_whatever_is_written_one_line_comes_of_it(value: Any) -> None:
    for config in ({"steps": value}, {"named": value}, value if isinstance(value, dict) else {}):
        answer = plugins(Pipeline).source("theirs", config)
        assert isinstance(answer, Prepared) or answer.message.isprintable()


@pytest.mark.parametrize("error", [KeyError("hunter2"), RuntimeError("hunter2"), SystemExit("hunter2"), GeneratorExit()])
def test_a_model_that_raises_anything_else_is_broken_and_gives_nothing_away(error: BaseException) -> None:
    class Cracked(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def _crack(cls, value: object) -> object:
            raise error

    message = refused(Cracked, {"password": "hunter2"}, FaultReason.SOURCE_BROKEN)
    assert f"its model raised {type(error).__name__}, which is a fault of the plugin" in message
    assert "hunter2" not in message


class Recursive(Closed):
    inner: "Recursive | None" = None
    either: int | str | list[int] | None = None
    anything: Any = None


def test_models_of_any_shape_are_told_of() -> None:
    assert "config.inner.inner.x: no such field; known here: inner, either, anything" in refused(Recursive, {"inner": {"inner": {"x": 1}}})
    assert "config.either." in refused(Recursive, {"either": {}})


def test_d2_a_kind_that_nobody_offers_is_answered_with_those_there_are() -> None:
    found = plugins(Pipeline)
    assert found.source("thiers", {}) == PluginFault(
        reason=FaultReason.SOURCE_NOT_FOUND,
        message='spec.source.kind: no source "thiers" is installed; installed are: theirs. '
        "Name one of them, or install the package that offers it beside Tinyforge",
    )
    nothing = Plugins().trigger("manual", {})
    assert isinstance(nothing, PluginFault)
    assert (nothing.reason, "installed are: none" in nothing.message) == (FaultReason.TRIGGER_NOT_FOUND, True)


def test_d2_a_broken_kind_says_why() -> None:
    found = plugins(Pipeline)
    assert found.source("cracked", {}) == PluginFault(
        reason=FaultReason.SOURCE_BROKEN, message='the source "cracked" (their-plugins 2.1) cannot be used: it has no method deploy'
    )
    broken = found.trigger("cracked", {})
    assert isinstance(broken, PluginFault)
    assert broken.reason is FaultReason.TRIGGER_BROKEN


def test_a_secret_in_a_config_is_in_no_repr() -> None:
    assert "hunter2" not in repr(plugins(Strict).source("theirs", {"at": "03:00", "hosts": ["hunter2"], "nested": {}}))


def test_what_is_read_is_what_was_written() -> None:
    config = {"at": "03:00:00", "hosts": ["ü", "🙂"], "nested": {"a": [1, 2.5, None, True, {"": []}]}}
    prepared = plugins(Strict).source("theirs", config)
    assert isinstance(prepared, Prepared)
    assert json.loads(prepared.config.model_dump_json()) == config
