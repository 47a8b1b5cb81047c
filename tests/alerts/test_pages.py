"""The pages about alerts and metrics: nothing is missing, nothing is left over, and the commands on them exist."""

import re

import click
import pytest

from tests.alerts.pages import ALERTS, METRICS, commands
from tests.alerts.rules import alerts, metrics_asked_for, panels
from tests.servers.kubernetes import ROOT
from tinyforge.cli import main
from tinyforge.settings import Settings

PARTS = ("**What it means.**", "**What to look at.**", "**What to do.**")


def sections() -> dict[str, str]:
    """The sections of docs/alerts.md by their headings."""
    _, *parts = re.split(r"^## ", ALERTS, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts}


def explained() -> set[str]:
    """The metrics that docs/metrics.md has a line for."""
    return set(re.findall(r"^\| `(tinyforge_[a-z_]+)` \|", METRICS, re.MULTILINE))


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    assert list(sections()) == [alert.name for alert in alerts()]


def test_every_alert_leads_to_its_section() -> None:
    for alert in alerts():
        assert alert.annotations["runbook"] == f"docs/alerts.md#{alert.name.lower()}"


@pytest.mark.parametrize("name", [alert.name for alert in alerts()])
def test_a_section_says_what_it_means_what_to_look_at_with_which_command_and_what_to_do(name: str) -> None:
    section = sections()[name]
    places = [section.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    assert commands(section)


def test_every_command_of_tinyforge_on_the_pages_is_one() -> None:
    assert isinstance(main, click.Group)
    ours = [words[words.index("tinyforge") + 1 :] for words in commands(ALERTS) + commands(METRICS) if "tinyforge" in words[:2]]
    assert ours
    for verb, *arguments in ours:
        command = main.get_command(click.Context(main), verb)
        assert command, verb
        command.make_context(verb, arguments)


def test_every_setting_on_the_pages_is_one() -> None:
    names = set(re.findall(r"TINYFORGE_([A-Z_]+)", ALERTS + METRICS))
    assert names
    assert {name.lower() for name in names} <= Settings.model_fields.keys()


def test_every_link_on_the_pages_leads_somewhere() -> None:
    for page in (ALERTS, METRICS):
        for place, _, anchor in re.findall(r"\]\(([^)#]*)(#([^)]+))?\)", page):
            target = (ROOT / "docs" / place) if place else ROOT / "docs/alerts.md"
            assert target.exists(), place
            if anchor:
                headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
                assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_every_metric_that_alerts_and_dashboard_ask_for_is_explained() -> None:
    ours = {name for name in metrics_asked_for() if name.startswith("tinyforge_")}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in ours} <= explained()


def test_every_panel_says_what_it_shows() -> None:
    for panel in panels():
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "$datasource"}, panel["title"]


def test_panels_lie_side_by_side_and_not_on_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
