"""Every line at info and above has an action, and docs/logs.md lists each of them with its level."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.logs.said import Saying, sayings

PAGE = Path(__file__).parents[2] / "docs" / "logs.md"
SAID_BELOW_INFO = {"dispatch_unchanged", "dispatch_skipped", "turn_not_written"}
ROW = re.compile(r"^\| (`[^|]+`) \| (debug|info|warning|error|critical) \| [^|]+ \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def said() -> list[Saying]:
    """All that the program can say."""
    return sayings()


def listed() -> dict[str, str]:
    """The levels of the actions that the page lists."""
    rows = [(action, level) for actions, level in ROW.findall(PAGE.read_text()) for action in re.findall(r"`([^`]+)`", actions)]
    assert len(dict(rows)) == len(rows), "an action is listed twice"
    return dict(rows)


def test_every_line_says_what_it_is_about_in_one_stable_word(said: list[Saying]) -> None:
    assert [saying.place for saying in said if not saying.actions] == []


def test_an_action_is_words_in_snake_case(said: list[Saying]) -> None:
    actions = {action for saying in said for action in saying.actions}
    assert [action for action in actions if not re.fullmatch(r"[a-z]+(_[a-z]+)*", action)] == []


def test_the_page_lists_every_action_and_no_other(said: list[Saying]) -> None:
    assert set(listed()) == {action for saying in said for action in saying.actions}


def test_the_page_says_at_which_level_an_action_is_said(said: list[Saying]) -> None:
    levels: defaultdict[str, set[str]] = defaultdict(set)
    for saying in said:
        for action in saying.actions if saying.level != "any" else ():
            levels[action].add(saying.level)
    page = listed()
    assert {action: found for action, found in levels.items() if found != {page[action]}} == {}


def test_what_is_looked_at_is_the_whole_program(said: list[Saying]) -> None:
    assert {saying.place.partition("/")[0] for saying in said} >= {
        "cli",
        "election",
        "http",
        "operator",
        "reconcile",
        "standalone",
        "telemetry",
    }
    assert {action for action, level in listed().items() if level == "debug"} == SAID_BELOW_INFO
