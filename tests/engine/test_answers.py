"""Decoding: every list that an engine can send arrives as it was meant, and whatever else comes is an `EngineError` and nothing worse."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fake_engine import entry
from tinyforge.domain.containers import Container, Labels, Port
from tinyforge.engine.answers import read_complaint, read_containers, read_info, read_labels
from tinyforge.ports import EngineError

TEXT = st.text(st.characters(codec="utf-8"))  # JSON from an engine has no lone surrogates
STORABLE = TEXT.map(lambda text: text.replace("\0", ""))
LABELS = st.builds(Labels, **dict.fromkeys(Labels.__struct_fields__, TEXT))
CONTAINERS = st.builds(
    Container,
    id=STORABLE.filter(bool),
    image=STORABLE,
    state=STORABLE,
    created=st.integers(-(2**63), 2**63 - 1),
    names=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    ports=st.none() | st.lists(st.builds(Port, private=st.integers(0, 65535)), max_size=4).map(tuple),
    labels=st.none() | LABELS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Id", "Labels", "Names", "x"]) | TEXT, inner, max_size=4),
    max_leaves=10,
)


def complaint(read: Callable[[bytes], object], body: bytes) -> str:
    """Return what is said about an answer, nothing if it is a good one; no error but `EngineError` may come out."""
    try:
        read(body)
    except EngineError as error:
        return str(error)
    return ""


@given(st.lists(CONTAINERS, max_size=5, unique_by=lambda container: container.id))
def test_every_list_arrives_as_it_was_meant(containers: list[Container]):
    assert list(read_containers(msgspec.json.encode(containers))) == containers


@given(CONTAINERS, st.dictionaries(TEXT, JSON, max_size=3))
def test_fields_and_labels_that_nobody_asked_for_change_nothing(container: Container, others: dict[str, Any]):
    sent = others | msgspec.json.decode(msgspec.json.encode(container))
    sent["Labels"] = dict.fromkeys(others, "other") | (sent["Labels"] or {}) if container.labels else sent["Labels"]
    assert read_containers(msgspec.json.encode([sent])) == (container,)


@given(st.dictionaries(TEXT, TEXT, max_size=5))
def test_all_labels_of_one_container_arrive(labels: dict[str, str]):
    assert read_labels(msgspec.json.encode([entry(Labels=labels)]), entry()["Id"]) == labels


@given(st.binary() | JSON.map(msgspec.json.encode) | st.lists(JSON).map(msgspec.json.encode))
def test_m10_whatever_an_engine_sends_is_an_answer_or_an_engine_error(body: bytes):
    assert complaint(read_containers, body).isprintable()
    assert complaint(read_info, body).isprintable()
    assert complaint(lambda body: read_labels(body, "x"), body).isprintable()
    assert read_complaint(body).isprintable()


@pytest.mark.parametrize("field", ["Id", "Image", "State"])
def test_m10_what_postgresql_could_not_store_costs_its_own_container_alone_and_so_is_a_list(field: str):
    assert len(read_containers(msgspec.json.encode([entry(), entry(**({"Id": "x"} | {field: "a\0b"}))]))) == 2
