"""What of a status is ours is compared, wherever it stands; what is somebody else's is not."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tests.operator.statuses.objects import condition, status
from tinyforge.operator.status_diff import leaves, missing_from, surplus_of

LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
TYPES = st.sampled_from(["Ready", "Reconciling", "Stalled", "Theirs"])
CONDITIONS = st.lists(st.builds(condition, TYPES, message=st.text(max_size=3)), unique_by=lambda it: it["type"], max_size=4)
PART = st.dictionaries(st.sampled_from("abc"), LEAF, max_size=3)
STATUSES = st.fixed_dictionaries({}, optional={"conditions": CONDITIONS, "containers": PART, "observedGeneration": st.integers(0, 3)})


@given(STATUSES, st.randoms())
@quick
def test_the_order_of_conditions_means_nothing(wanted: dict[str, Any], random: Any):
    found = deepcopy(wanted)
    random.shuffle(found.get("conditions", []))
    assert not missing_from(leaves(found), leaves(wanted))
    assert not surplus_of(leaves(found), leaves(wanted))


@given(STATUSES, STATUSES)
@quick
def test_two_statuses_are_the_same_if_neither_has_what_the_other_lacks(one: dict[str, Any], other: dict[str, Any]):
    same = not missing_from(leaves(one), leaves(other)) and not surplus_of(leaves(one), leaves(other))
    assert same == (_told(one) == _told(other))


def _told(value: dict[str, Any]) -> dict[str, Any]:
    """A status without what is empty, and with its conditions in order."""
    told = value | {"conditions": sorted(value.get("conditions", []), key=lambda it: str(it["type"]))}
    return {name: part for name, part in told.items() if part not in ([], {})}


def test_a_condition_of_somebody_else_is_surplus_by_its_type():
    found = status() | {"conditions": [condition("Theirs"), condition()]}
    assert {path[:2] for path in surplus_of(leaves(found), leaves(status()))} == {("conditions", "Theirs")}
    assert not missing_from(leaves(found), leaves(status()))


def test_a_condition_that_says_something_else_is_missing():
    assert missing_from(leaves(status("edited")), leaves(status()))


def test_a_number_is_the_same_with_and_without_its_point():
    assert not missing_from(leaves({"lastPass": {"durationSeconds": 1}}), leaves({"lastPass": {"durationSeconds": 1.0}}))
