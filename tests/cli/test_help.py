"""What the command line says of itself, and what that costs."""

import importlib
import subprocess
import sys
from importlib.metadata import version

import pytest
from click import Context

from tests.cli.conftest import Program, Tinyforge
from tinyforge.cli import VERBS, main
from tinyforge.cli.verb import Verb

HEAVY = {"aiohttp", "docker", "kopf", "psycopg", "pydantic", "rich", "watchfiles"}


def test_help_names_every_verb_and_what_it_is_for(tinyforge: Tinyforge) -> None:
    ended = tinyforge("--help")
    assert ended.exit_code == 0
    for name, what in VERBS.items():
        assert f"  {name}" in ended.stdout
        assert what in " ".join(ended.stdout.split())
    assert "\\b" not in ended.stdout
    assert all(char.isprintable() for line in ended.stdout.splitlines() for char in line)


@pytest.mark.parametrize("variable", ["bash_source", "zsh_source", "fish_source"])
def test_help_tells_how_to_get_completion(variable: str, tinyforge: Tinyforge) -> None:
    assert f"_TINYFORGE_COMPLETE={variable}" in tinyforge("--help").stdout


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_a_verb_begins_as_the_list_of_verbs_says_and_has_examples(name: str, tinyforge: Tinyforge) -> None:
    ended = tinyforge(name, "--help")
    assert ended.exit_code == 0
    command = importlib.import_module(f"tinyforge.cli.{name}").verb
    assert isinstance(command, Verb)
    assert command.help
    assert command.help.splitlines()[0] == VERBS[name]
    assert "Examples:" in ended.stdout
    assert f"tinyforge {name}" in ended.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("name", VERBS)
def test_every_option_of_a_verb_is_described(name: str) -> None:
    command = main.get_command(Context(main), name)
    assert command
    assert all(getattr(parameter, "help", "") for parameter in command.params if parameter.param_type_name == "option")


def test_the_version_is_that_of_the_package(tinyforge: Tinyforge) -> None:
    assert tinyforge("--version").stdout == f"tinyforge {version('tinyforge')}\n"


def test_a_verb_that_is_misspelt_is_a_usage_error_with_the_likely_one(tinyforge: Tinyforge) -> None:
    ended = tinyforge("worklods")
    assert ended.exit_code == 2
    assert "Did you mean 'workloads'?" in ended.stderr


def test_no_verb_is_a_usage_error_with_the_help(tinyforge: Tinyforge) -> None:
    ended = tinyforge()
    assert ended.exit_code == 2
    assert "Verbs:" in ended.stdout + ended.stderr


def test_completion_completes_verbs_options_and_choices(program: Program) -> None:
    def complete(words: str, at: int) -> list[str]:
        process = program(COMP_WORDS=words, COMP_CWORD=str(at), _TINYFORGE_COMPLETE="bash_complete")
        return [line.partition(",")[2] for line in process.communicate()[0].splitlines()]

    assert complete("tinyforge w", 1) == ["workloads"]
    assert "--workload" in complete("tinyforge ps --w", 2)
    assert complete("tinyforge ps --state mis", 3) == ["missing"]


@pytest.mark.parametrize(
    ("arguments", "not_loaded"),
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        (["ps"], {"aiohttp", "docker", "kopf", "watchfiles", "yaml"}),
        (["explain", "web"], {"aiohttp", "docker", "kopf", "watchfiles", "yaml"}),
        (["sync"], {"aiohttp", "docker", "kopf", "watchfiles", "yaml"}),
    ],
)
def test_a_verb_loads_only_what_it_needs(arguments: list[str], not_loaded: set[str], database_url: str) -> None:
    """So that `tinyforge --help` answers in a tenth of a second, and `ps` is not slowed down by an HTTP client."""
    code = f"""
import sys
from tinyforge.cli import main
try:
    main({arguments!r}, prog_name="tinyforge")
finally:
    print("loaded", *sys.modules)
"""
    environment = {"TINYFORGE_DATABASE_URL": database_url}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    loaded = done.stdout.partition("loaded ")[2].split()
    assert "tinyforge.cli" in loaded, done.stderr
    assert not not_loaded & set(loaded)
