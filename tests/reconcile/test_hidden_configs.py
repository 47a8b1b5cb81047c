"""What a plugin's code says by mistake, without what stands in its config (fault 44)."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.reconcile.plugin_call import PluginFailed, call_plugin
from tinyforge.reconcile.plugins.hiding import without_values

SECRETS = st.text(st.characters(codec="utf-8"), min_size=4, max_size=20).filter(lambda text: len(text.strip()) >= 4)
SHOWN: list[Callable[[str], str]] = [str, repr, str.strip, lambda secret: quote(secret, safe="")]


@given(secret=SECRETS, config=st.sampled_from(["nested", "listed"]), shown=st.sampled_from(SHOWN))
def test_fault_44_a_text_of_a_config_is_hidden_wherever_it_stands_and_however_it_is_quoted(
    secret: str, config: str, shown: Callable[[str], str]
) -> None:
    value = {"a": {"b": secret}} if config == "nested" else {"a": [1, [secret]]}
    said = without_values(f"<<{shown(secret)}>>", value)
    assert said.startswith("<<")
    assert "***" in said
    assert set(said) <= set("<>*'\"")


def test_fault_44_numbers_are_hidden_and_truth_values_and_short_words_are_not() -> None:
    assert without_values("12345 6.75 True web", {"n": 12345, "f": 6.75, "b": True, "s": "web"}) == "*** *** True web"


def test_fault_44_a_secret_that_is_part_of_another_leaves_nothing_of_it() -> None:
    assert without_values("hunter2-and-more", {"a": "hunter2", "b": "hunter2-and-more"}) == "***"


def test_fault_44_of_a_text_that_is_too_long_to_be_looked_through_nothing_is_said() -> None:
    assert without_values("x" * 70_000, {}) == ""


async def test_fault_44_an_error_that_a_plugin_raised_is_told_without_its_config_even_where_the_text_is_cut() -> None:
    secret = "hunter2" * 20

    async def raising() -> object:
        raise ConnectionError(f"{'x' * 250} https://me:{secret}@registry.example.com")

    with pytest.raises(PluginFailed) as caught:
        await call_plugin("source.deploy", raising, wanted=(int,), seconds=5, hidden=({}, {"url": [secret]}))
    assert str(caught.value).endswith(" https://me:***@registry.example…")
