"""`tinyforge settings`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tinyforge
from tests.cli.index import HOSTILE
from tinyforge.settings import Settings

PASSWORD = "hunter2-is-no-password"
LEASE = "TINYFORGE_LEASE_"
OTHER_TIMES = (f"{LEASE}RENEW_DEADLINE", f"{LEASE}RETRY_PERIOD", f"{LEASE}REQUEST_TIMEOUT")


def test_every_setting_is_listed_with_its_description(tinyforge: Tinyforge) -> None:
    shown = tinyforge("settings").stdout
    for name, field in Settings.model_fields.items():
        assert f"TINYFORGE_{name.upper()}" in shown
        assert str(field.description) in shown


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("TINYFORGE_INTERVAL", "90", "90s"),
        ("TINYFORGE_INTERVAL", "120", "2m"),
        ("TINYFORGE_INTERVAL", "0", "0"),
        ("TINYFORGE_DOCKER_CONNECT_TIMEOUT", "250ms", "250ms"),
        ("TINYFORGE_DOCKER_LIST_LIMIT", "64MiB", "64MiB"),
        ("TINYFORGE_DOCKER_LIST_LIMIT", "1025", "1025B"),
        ("TINYFORGE_LOG_LEVEL", "debug", "debug"),
        ("TINYFORGE_SECRETS", "/etc/secrets", "/etc/secrets"),
    ],
)
def test_a_value_of_the_environment_is_shown_as_such(variable: str, value: str, shown: str, tinyforge: Tinyforge) -> None:
    (line,) = (line for line in tinyforge("settings", **{variable: value}).stdout.splitlines() if line.startswith(variable))
    assert line.split()[1:3] == [shown, "environment"]


def test_a_default_is_shown_as_such(tinyforge: Tinyforge) -> None:
    lines = {line.split()[0]: line.split()[1:3] for line in tinyforge("settings", TINYFORGE_DATABASE_URL="").stdout.splitlines()}
    assert lines["TINYFORGE_INTERVAL"] == ["30s", "default"]
    assert lines["TINYFORGE_DOCKER_LIST_LIMIT"] == ["32MiB", "default"]
    assert lines["TINYFORGE_DATABASE_URL"] == ["-", "default"]


def test_a_secret_is_hidden(tinyforge: Tinyforge) -> None:
    url = f"postgresql://user:{PASSWORD}@127.0.0.1:1/x"
    for arguments in (["settings"], ["settings", "--json"], ["ps"], ["migrate"], ["sync"], ["doctor"]):
        ended = tinyforge(*arguments, TINYFORGE_DATABASE_URL=url)
        assert PASSWORD not in ended.stdout + ended.stderr
    assert "(hidden)" in tinyforge("settings", TINYFORGE_DATABASE_URL=url).stdout


def test_json_has_numbers_where_a_script_counts(tinyforge: Tinyforge) -> None:
    facts = {fact["name"]: fact for fact in tinyforge("settings", "--json", TINYFORGE_INTERVAL="1m").json}
    assert facts["TINYFORGE_INTERVAL"]["value"] == 60
    assert facts["TINYFORGE_INTERVAL"]["source"] == "environment"
    assert facts["TINYFORGE_DOCKER_LIST_LIMIT"]["value"] == 32 << 20
    assert facts["TINYFORGE_SECRETS"]["value"] is None
    assert facts["TINYFORGE_LOG_FORMAT"]["description"]


def test_all_faults_are_in_one_message_with_name_value_and_what_is_allowed(tinyforge: Tinyforge) -> None:
    ended = tinyforge("settings", TINYFORGE_INTERVAL="soon", TINYFORGE_LOG_LEVEL="loud", TINYFORGE_DOCKER_CONNECT_TIMEOUT="-3s")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "TINYFORGE_INTERVAL: 'soon' is not a duration" in ended.stderr
    assert "TINYFORGE_LOG_LEVEL: 'loud'" in ended.stderr
    assert "'debug', 'info', 'warning' or 'error'" in ended.stderr
    assert "TINYFORGE_DOCKER_CONNECT_TIMEOUT: '-3s'" in ended.stderr


@pytest.mark.parametrize("verb", [["run"], ["run", "--once"], ["controller"]])
def test_faults_of_opentelemetrys_variables_are_told_with_the_others_by_whoever_records_traces(
    verb: list[str], tinyforge: Tinyforge
) -> None:
    wrong = {"OTEL_TRACES_SAMPLER_ARG": "7", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
    ended = tinyforge(*verb, TINYFORGE_TRACE_UNCHANGED="sometimes", **wrong)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "TINYFORGE_TRACE_UNCHANGED: 'sometimes'" in ended.stderr
    assert "'all', 'heartbeat' or 'none'" in ended.stderr
    alone = tinyforge(*verb, **wrong)
    assert alone.exit_code == 2
    for text in (ended.stderr, alone.stderr):
        assert "OTEL_TRACES_SAMPLER_ARG: '7' is no ratio; allowed: a number from 0 (no trace) to 1" in text
        assert "OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' is no protocol" in text
    assert tinyforge("settings", **wrong).exit_code == 0, "who records none need not care"


def test_a_variable_that_is_none_is_warned_of(tinyforge: Tinyforge) -> None:
    ended = tinyforge("settings", TINYFORGE_INTREVAL="3")
    assert ended.exit_code == 0
    assert "TINYFORGE_INTREVAL is no setting; did you mean TINYFORGE_INTERVAL?" in ended.stderr


def test_hostile_text_is_written_out(tinyforge: Tinyforge, tmp_path: Path) -> None:
    shown = tinyforge("settings", TINYFORGE_SECRETS=f"{tmp_path}/{HOSTILE}").stdout
    assert "\\x1b[31mred" in shown
    assert "\x1b" not in shown


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("settings", "interval").exit_code == 2


@pytest.mark.parametrize("url", [PASSWORD, f"postgresql://user:{PASSWORD} x@db/forge", f"host=db password=x {PASSWORD}"])
def test_a_database_url_that_is_none_is_a_fault_of_the_settings_and_not_repeated(url: str, tinyforge: Tinyforge) -> None:
    for verb in (["ps"], ["sync"], ["migrate"], ["run", "--once"]):
        ended = tinyforge(*verb, TINYFORGE_DATABASE_URL=url)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert "TINYFORGE_DATABASE_URL" in ended.stderr
        assert PASSWORD not in ended.stderr


@pytest.mark.parametrize(
    ("times", "sum_said"),
    [
        ({"DURATION": "14s"}, "renew deadline + request timeout + 2 s = 10 + 3 + 2 = 15 s, not 14 s"),
        ({"RENEW_DEADLINE": "20s"}, "renew deadline + request timeout + 2 s = 20 + 3 + 2 = 25 s, not 15 s"),
        ({"REQUEST_TIMEOUT": "3100ms"}, "renew deadline + request timeout + 2 s = 10 + 3.1 + 2 = 15.1 s, not 15 s"),
        ({"RETRY_PERIOD": "7s"}, "retry period + request timeout = 7 + 3 = 10 s, not 10 s"),
        ({"DURATION": "15500ms"}, "whole seconds, not 15.5 s"),
    ],
)
def test_i7_times_of_the_lease_that_do_not_fit_together_are_refused_with_their_sum_and_their_names(
    times: dict[str, str], sum_said: str, tinyforge: Tinyforge
) -> None:
    ended = tinyforge("settings", **{f"{LEASE}{name}": value for name, value in times.items()})
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"{LEASE}DURATION: " in ended.stderr
    assert sum_said in ended.stderr
    assert [name for name in OTHER_TIMES if name not in ended.stderr] == []


def test_i7_times_that_just_fit_are_taken(tinyforge: Tinyforge) -> None:
    times = {f"{LEASE}DURATION": "5s", f"{LEASE}RENEW_DEADLINE": "2s", f"{LEASE}RETRY_PERIOD": "500ms", f"{LEASE}REQUEST_TIMEOUT": "1s"}
    assert tinyforge("settings", **times).exit_code == 0


def test_i7_a_time_that_is_none_is_one_fault_and_not_two(tinyforge: Tinyforge) -> None:
    ended = tinyforge("settings", **{f"{LEASE}RENEW_DEADLINE": "soon"})
    assert ended.exit_code == 2
    assert f"{LEASE}DURATION" not in ended.stderr


@pytest.mark.parametrize(("name", "value"), [("NAME", "Tiny_forge"), ("NAME", "a..b"), ("NAMESPACE", "a.b"), ("NAMESPACE", "x" * 64)])
def test_a_name_that_kubernetes_would_not_take_is_refused(name: str, value: str, tinyforge: Tinyforge) -> None:
    ended = tinyforge("settings", **{f"{LEASE}{name}": value})
    assert ended.exit_code == 2
    assert f"{LEASE}{name}: '{value}'" in ended.stderr


def test_a_lease_may_be_called_anything_that_kubernetes_takes(tinyforge: Tinyforge) -> None:
    assert tinyforge("settings", **{f"{LEASE}NAME": "tiny.forge-2", f"{LEASE}NAMESPACE": "team-a"}).exit_code == 0


def test_the_drain_may_be_no_time_at_all(tinyforge: Tinyforge) -> None:
    facts = {fact["name"]: fact for fact in tinyforge("settings", "--json", TINYFORGE_DRAIN="0").json}
    assert facts["TINYFORGE_DRAIN"]["value"] == 0
    assert tinyforge("settings", TINYFORGE_DRAIN="-1s").exit_code == 2
