"""`tinyforge crds`."""

import yaml

from tests.cli.conftest import Tinyforge


def test_both_definitions_are_printed_as_yaml(tinyforge: Tinyforge) -> None:
    ended = tinyforge("crds")
    assert ended.exit_code == 0
    assert [document["spec"]["names"]["kind"] for document in yaml.safe_load_all(ended.stdout)] == ["DockerHost", "Workload"]


def test_no_database_and_no_settings_are_needed(tinyforge: Tinyforge) -> None:
    assert tinyforge("crds", TINYFORGE_DATABASE_URL="nonsense", TINYFORGE_INTERVAL="nonsense").exit_code == 0


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("crds", "all").exit_code == 2
