"""Whatever a status holds, what is sent passes the CRD, and what would have passed is sent as it is."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tests.operator.statuses.objects import NOON, Status, condition, status
from tinyforge.objects.docker_host import DockerHostStatus
from tinyforge.objects.fields import Part
from tinyforge.objects.schema import Schema, structural_schema
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.operator.status_fit import fit_status

MODELS = (DockerHostStatus, WorkloadStatus)
models = st.sampled_from(MODELS)
COUNTS = {"total": 1, "running": 1, "stopped": 0, "missing": 0, "unknown": 0, "other": 0, "summary": "1/1 running"}

NAMES = [name for model in MODELS for name in structural_schema(model)["properties"]]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["True", NOON, "changed", "x" * 2000]),
    lambda of: st.lists(of, max_size=20) | st.dictionaries(st.text(max_size=3) | st.sampled_from(NAMES), of, max_size=5),
    max_leaves=30,
)


def near(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that a schema takes, or nearly."""
    return st.one_of(_near(schema), _near(schema), _near(schema), ANYTHING)


def _near(schema: Schema) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "object":
            return st.fixed_dictionaries({}, optional={name: near(part) for name, part in schema["properties"].items()})
        case "array":
            return st.lists(near(schema["items"]), max_size=schema["maxItems"] + 4)
        case "string":
            return texts(schema)
        case "integer":
            return st.integers(-5, 5) | st.sampled_from([2**53, 2**64, -(2**70)])
        case _:
            return st.floats() | st.integers()


def texts(schema: Schema) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return st.sampled_from([NOON, "2026-11-24T12:00:00.5+02:00", "2026-11-24", "2026-13-24T12:00:00Z", "noon", "20261124T120000Z"])
    return st.text(max_size=5) | st.integers(-2, 2).map(lambda more: "\N{GRINNING FACE}" * (schema["maxLength"] + more))


@st.composite
def statuses(draw: st.DrawFn) -> tuple[type[Part], Any]:
    model = draw(models)
    return model, draw(near(structural_schema(model)))


def complaints(value: Any, schema: Schema, path: str = "status") -> Iterator[str]:
    """Yield where a value breaks a structural schema, by the rules of the API server."""
    if breaks(value, schema):
        yield path
    elif schema["type"] == "object":
        for name, part in value.items():
            yield from complaints(part, schema["properties"][name], f"{path}.{name}")
    elif schema["type"] == "array":
        for item in value:
            yield from complaints(item, schema["items"], f"{path}[]")


def breaks(value: Any, schema: Schema) -> bool:
    match schema["type"]:
        case "object":
            return not set(schema.get("required", ())) <= set(value) <= set(schema["properties"])
        case "array":
            keys = [tuple(item[key] for key in schema.get("x-kubernetes-list-map-keys", ())) for item in value]
            is_map = schema.get("x-kubernetes-list-type") == "map"
            return len(value) > schema["maxItems"] or (is_map and len(set(keys)) < len(keys))
        case "string":
            return len(value) > schema["maxLength"] or value not in schema.get("enum", [value])
        case kind:
            right = isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
            return not right or not schema.get("minimum", value) <= value < 2**53


@given(statuses())
@quick
def test_whatever_comes_in_what_goes_out_is_within_the_schema(case: tuple[Any, Any]):
    model, value = case
    assume(isinstance(value, Mapping))
    fitted = fit_status(value, structural_schema(model))
    assert list(complaints(fitted.status, structural_schema(model))) == []
    model.model_validate(fitted.status)
    json.dumps(fitted.status, allow_nan=False, ensure_ascii=False).encode()


@given(statuses())
@quick
def test_what_fits_stays_as_it_is(case: tuple[Any, Any]):
    model, value = case
    assume(isinstance(value, Mapping))
    once = fit_status(value, structural_schema(model)).status
    again = fit_status(once, structural_schema(model))
    assert again.status == once
    assert again.left_out == ()


def fitted(value: Status, model: type = WorkloadStatus) -> Status:
    return fit_status(value, structural_schema(model)).status


def test_a_message_that_is_too_long_is_cut_and_says_so():
    (cut,) = fitted(status("m" * 2000))["conditions"]
    assert cut["message"] == "m" * 1023 + "…"


def test_a_message_of_just_the_right_length_is_not_cut():
    long = "\N{GRINNING FACE}" * 1024
    assert fitted(status(long)) == status(long)


def test_a_list_that_is_too_long_keeps_its_beginning():
    many = [condition(f"T{number}") for number in range(20)]
    assert fitted({"conditions": many})["conditions"] == many[:16]


def test_of_two_conditions_of_one_type_the_first_stays():
    result = fit_status({"conditions": [condition(message="a"), condition(message="b")]}, structural_schema(WorkloadStatus))
    assert [it["message"] for it in result.status["conditions"]] == ["a"]
    assert result.left_out == ("conditions[Ready]",)


def test_what_is_nothing_is_left_out_without_a_word():
    result = fit_status({"containers": None, "observedGeneration": 1}, structural_schema(WorkloadStatus))
    assert (result.status, result.left_out) == ({"observedGeneration": 1}, ())


@pytest.mark.parametrize(
    ("wrong", "left_out"),
    [
        ({"conditions": [condition(status="Maybe")]}, ("conditions[0].status", "conditions[0]")),
        ({"conditions": [condition(), condition("B", lastTransitionTime="today")]}, ("conditions[1].lastTransitionTime", "conditions[1]")),
        ({"conditions": "none"}, ("conditions",)),
        ({"containers": {**COUNTS, "total": True}}, ("containers.total", "containers")),
        ({"containers": {**COUNTS, "total": 1.5}}, ("containers.total", "containers")),
        ({"invented": 1}, ("invented",)),
        ({"lastDispatch": {"at": NOON}}, ("lastDispatch",)),
    ],
)
def test_what_cannot_be_made_to_fit_is_left_out_and_named(wrong: Status, left_out: tuple[str, ...]):
    result = fit_status({"observedGeneration": 3, **wrong}, structural_schema(WorkloadStatus))
    assert result.left_out == left_out
    assert result.status["observedGeneration"] == 3


def test_a_number_below_its_minimum_is_the_minimum():
    assert fitted({"observedGeneration": -1}) == {"observedGeneration": 0}


def test_half_a_surrogate_pair_is_replaced_for_no_one_can_read_it():
    (it,) = fitted(status("a\ud800b"))["conditions"]
    assert it["message"] == "a\ufffdb"


@given(models)
@example(DockerHostStatus)
@quick
def test_nothing_fits_too(model: type):
    assert fitted({}, model) == {}
