"""What becomes of foreign text before it is shown in a status."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import REASON, texts
from tests.domain.strategies import quick
from tinyforge.domain.conditions import ConditionStatus
from tinyforge.domain.texts import condition, one_word, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no space\nleft\ton  device\n", "no space left on device"),
        ("\x1b[31mred", "[31mred"),
        ("web\u202ebew", "web bew"),
        ("\ud800\0", ""),
        ("ü" * 10, "ü" * 10),
        ("ü" * 11, "ü" * 9 + "…"),
    ],
)
def test_a_text_is_shown_on_one_line_printable_and_short(text: str, shown: str) -> None:
    assert printable(text, 10 if "ü" in text else 100) == shown


def test_of_a_text_in_an_error_200_characters_are_shown() -> None:
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 199 + "…"


@quick
@given(texts(), st.integers(1, 40))
def test_whatever_is_shown_is_printable_and_within_its_length(text: str, length: int) -> None:
    shown = printable(text, length)
    assert shown.isprintable()
    assert len(shown) <= length
    assert printable(shown, length) == shown


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Drift", "Drift"),
        ("Out of disk!", "Outofdisk"),
        ("404:not_found,", "not_found"),
        ("_:,", "Unclear"),
        ("", "Unclear"),
        ("٢", "Unclear"),
        ("Drift\n", "Drift"),
        ("x" * 129, "x" * 128),
        ("x" * 127 + ":x", "x" * 127),
    ],
)
def test_of_a_plugins_reason_only_what_kubernetes_takes_is_kept(text: str, reason: str) -> None:
    assert one_word(text, otherwise="Unclear") == reason


@quick
@given(texts())
def test_every_reason_is_one_that_kubernetes_takes(text: str) -> None:
    reason = one_word(text, otherwise="Unclear")
    assert re.fullmatch(REASON, reason)
    assert len(reason) <= 128


@quick
@given(st.from_regex(REASON, fullmatch=True).filter(lambda reason: len(reason) <= 128))
def test_a_reason_that_kubernetes_takes_stays_as_it_is(reason: str) -> None:
    assert one_word(reason, otherwise="Unclear") == reason


def test_a_condition_says_at_most_1024_characters() -> None:
    message = condition("Ready", ConditionStatus.FALSE, "Drift", "x" * 2000).message
    assert message == "x" * 1023 + "…"
