"""What is sent means what was meant, whoever reads it."""

import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.domain.strategies import thorough
from tinyforge.cluster import ClusterRefused
from tinyforge.cluster.wire import body_of, path_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda of: st.lists(of, max_size=4) | st.dictionaries(TEXTS, of, max_size=4),
)


@given(JSON)
@example("a \u2028 b")
@thorough
def test_a_body_is_the_json_that_was_meant(value: object):
    assert json.loads(body_of(value)) == value


@given(st.dictionaries(st.text("abc", min_size=1), TEXTS))
@example({"a": "a \x85 \u2028 \u2029 b\x7f\x9f\ufeff\uffff\N{GRINNING FACE}\x00\x1b\\ud83d"})
@thorough
def test_a_body_is_read_as_yaml_with_the_same_texts(texts: dict[str, str]):
    assert yaml.safe_load(body_of(texts)) == texts


def test_what_is_no_json_is_never_sent():
    with pytest.raises(ValueError, match="not JSON compliant"):
        body_of(float("nan"))


def test_a_path_holds_any_name():
    assert path_of("api", "v1", "a?b#c é") == "/api/v1/a%3Fb%23c%20%C3%A9"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../secrets", "%2e%2e"])
def test_a_name_that_leads_elsewhere_is_refused(name: str):
    with pytest.raises(ClusterRefused, match="is no name of anything in a cluster"):
        path_of("api", "v1", name)
