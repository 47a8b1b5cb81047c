"""`tinyforge plugins`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Program, Tinyforge
from tests.cli.index import HOSTILE
from tests.plugins.site import SOURCE, Site, site_packages

KEYS = ["type", "kind", "distribution", "version", "api", "ok", "reason", "schema"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_packages(tmp_path / "site-packages") as packages:
        yield packages


def test_what_is_installed_is_listed_with_where_it_comes_from(tinyforge: Tinyforge, site: Site) -> None:
    site.trigger(kind="moon", name="moon-phases")
    ended = tinyforge("plugins")
    assert (ended.exit_code, ended.stderr) == (0, "")
    titles, *lines = ended.stdout.splitlines()
    assert titles.split() == ["KIND", "TYPE", "FROM", "STATE", "WHY"]
    assert [line.split() for line in lines] == [
        ["external", "source", "tinyforge", "0.1.0", "ok", "-"],
        ["manual", "trigger", "tinyforge", "0.1.0", "ok", "-"],
        ["moon", "trigger", "moon-phases", "2.1", "ok", "-"],
    ]


def test_d2_a_broken_one_is_named_with_what_is_wrong_and_is_exit_code_1(tinyforge: Tinyforge, site: Site) -> None:
    site.source("import nowhere_to_be_found", kind="nightly")
    ended = tinyforge("plugins")
    assert ended.exit_code == 1
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("nightly")]
    assert "their-plugins 2.1" in line
    assert "broken" in line
    assert "No module named 'nowhere_to_be_found'" in line
    assert ended.stderr == "Cannot be used: source nightly.\n"


def test_json_has_the_schema_of_each_config_and_says_why_one_is_broken(tinyforge: Tinyforge, site: Site) -> None:
    site.source(f"{SOURCE}\nPlugin.api = 2\n", kind="nightly")
    ended = tinyforge("plugins", "--json")
    assert ended.exit_code == 1
    external, nightly, manual = ended.json
    assert list(external) == KEYS
    assert (external["type"], external["kind"], external["api"], external["ok"]) == ("source", "external", 1, True)
    assert external["schema"]["properties"]["roles"]["description"]
    assert (manual["distribution"], manual["version"], manual["reason"]) == ("tinyforge", "0.1.0", "")
    assert (nightly["ok"], nightly["api"], nightly["schema"]) == (False, None, None)
    assert "it was written for plugin API 2" in nightly["reason"]


def test_two_that_offer_one_kind_are_both_listed_and_named_once(tinyforge: Tinyforge, site: Site) -> None:
    site.source(name="mine")
    site.source(name="yours")
    ended = tinyforge("plugins")
    assert [line.split()[2] for line in ended.stdout.splitlines() if line.startswith("theirs")] == ["mine", "yours"]
    assert ended.stderr == "Cannot be used: source theirs.\n"


def test_hostile_text_is_written_out(tinyforge: Tinyforge, site: Site) -> None:
    site.source(f"raise ValueError({HOSTILE!r})", kind="nightly")
    site.source(kind=HOSTILE.replace("[", "("), name="others")
    ended = tinyforge("plugins")
    assert ended.exit_code == 1
    assert "raised ValueError" in ended.stdout
    assert "its name is no kind" in ended.stdout
    assert all(char.isprintable() for char in (ended.stdout + ended.stderr).replace("\n", ""))


def test_what_a_plugin_prints_is_no_part_of_the_answer(program: Program, site: Site) -> None:
    site.source(f"print('thank you for using me')\n{SOURCE}")
    output, errors = program("plugins", "--json", PYTHONPATH=str(site.folder)).communicate()
    assert output.startswith("[\n{")
    assert errors == "thank you for using me\n"


def test_no_database_and_no_settings_are_needed(tinyforge: Tinyforge) -> None:
    assert tinyforge("plugins", TINYFORGE_DATABASE_URL="nonsense", TINYFORGE_INTERVAL="nonsense").exit_code == 0


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("plugins", "external").exit_code == 2
