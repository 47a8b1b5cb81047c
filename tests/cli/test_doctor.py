"""`tinyforge doctor`: what it finds wrong on real servers, and whether it says how to mend it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Program, Tinyforge
from tests.cli.controllers import declare, running_controller
from tests.cli.index import Index
from tests.servers.certificates import DAY, Authority, write_secret
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres
from tests.telemetry.collectors import collecting
from tinyforge.cli.checks.hosts import MENDS, judge_clock
from tinyforge.ports import EngineReason


def found(ended: Ended, subject: str) -> list[dict[str, Any]]:
    return [check for check in ended.json if check["subject"] == subject]


def test_all_is_well_with_a_controller_and_its_host(
    tinyforge: Tinyforge, index: Index, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests", endpoint=docker_engine.endpoint)):
        assert tinyforge("sync").exit_code == 0
        ended = tinyforge("doctor")
    assert ended.exit_code == 0, ended
    lines = ended.stdout.splitlines()
    assert [line.partition(":")[0].split() for line in lines] == [
        ["ok", "settings"],
        ["ok", "database"],
        ["ok", "schema"],
        ["ok", "leader"],
        ["ok", "host", "local"],
    ]
    assert "writable primary, UTF8" in lines[1]
    assert "leads with epoch 1 since 20" in lines[3]
    assert f"id {docker_engine.id}" in lines[4]


def test_json_is_one_array_of_checks(tinyforge: Tinyforge) -> None:
    checks = tinyforge("doctor", "--json").json
    assert all(list(check) == ["subject", "verdict", "finding", "mend"] for check in checks)
    assert {check["verdict"] for check in checks} <= {"ok", "warn", "fail"}


def test_a_machine_on_which_nothing_ran_is_warned_of_and_gets_no_database(
    tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    ended = tinyforge(
        "doctor", "--json", TINYFORGE_DATABASE_URL=None, TINYFORGE_DATA=str(tmp_path / "data"), DOCKER_HOST=docker_engine.endpoint
    )
    assert ended.exit_code == 0, ended
    assert found(ended, "database")[0]["mend"].startswith("start with `tinyforge run`")
    assert found(ended, "host local")[0]["verdict"] == "ok"
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_away_fails_and_the_hosts_are_looked_at_all_the_same(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    ended = tinyforge("doctor", "--json", TINYFORGE_DATABASE_URL="postgresql:///none?host=/nowhere", DOCKER_HOST=docker_engine.endpoint)
    assert ended.exit_code == 1
    (database,) = found(ended, "database")
    assert (database["verdict"], database["mend"]) == ("fail", "start PostgreSQL, or correct TINYFORGE_DATABASE_URL")
    assert found(ended, "host local")[0]["verdict"] == "ok"


def test_a_database_without_a_schema_fails_and_names_migrate(tinyforge: Tinyforge, empty_database_url: str) -> None:
    ended = tinyforge("doctor", "--json", TINYFORGE_DATABASE_URL=empty_database_url)
    assert ended.exit_code == 1
    assert found(ended, "schema")[0]["mend"] == "tinyforge migrate"


def test_fault_19_a_schema_that_is_too_new_names_both_programs(tinyforge: Tinyforge, index: Index) -> None:
    index.sql("UPDATE tinyforge.schema SET min_program = 99")
    (schema,) = found(tinyforge("doctor", "--json"), "schema")
    assert (schema["verdict"], schema["mend"]) == ("fail", "update tinyforge")
    assert "asks for program 99 or newer, and this one is 1" in schema["finding"]


def test_a_schema_with_pending_migrations_is_warned_of(tinyforge: Tinyforge, index: Index) -> None:
    index.sql("DELETE FROM tinyforge.migrations WHERE id = (SELECT max(id) FROM tinyforge.migrations)")
    (schema,) = found(tinyforge("doctor", "--json"), "schema")
    assert (schema["verdict"], schema["mend"]) == ("warn", "tinyforge migrate")


def test_a_database_that_takes_no_writes_fails(tinyforge: Tinyforge, index: Index) -> None:
    url = f"{index.url}&options=-c%20default_transaction_read_only%3Don"
    ended = tinyforge("doctor", "--json", TINYFORGE_DATABASE_URL=url)
    assert ended.exit_code == 1
    assert "takes no writes" in found(ended, "database")[0]["finding"]


def test_an_encoding_that_cannot_hold_every_name_fails(tinyforge: Tinyforge, postgres_server: Postgres) -> None:
    postgres_server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    try:
        ended = tinyforge("doctor", "--json", TINYFORGE_DATABASE_URL=postgres_server.url_of("latin"))
    finally:
        postgres_server.sql("DROP DATABASE latin")
    assert "encoding is LATIN1" in found(ended, "database")[0]["finding"]
    assert "ENCODING 'UTF8'" in found(ended, "database")[0]["mend"]


def test_nobody_leading_is_warned_of_with_the_way_out(tinyforge: Tinyforge) -> None:
    (leader,) = found(tinyforge("doctor", "--json"), "leader")
    assert leader["verdict"] == "warn"
    assert "tinyforge run" in leader["mend"]


def test_a_host_that_does_not_answer_fails_with_the_reason_and_the_way_out(tinyforge: Tinyforge, tmp_path: Path) -> None:
    ended = tinyforge("doctor", "--json", "-f", str(declare(tmp_path / "manifests")))
    assert ended.exit_code == 1
    (host,) = found(ended, "host local")
    assert host["verdict"] == "fail"
    assert "ConnectFailed: " in host["finding"]
    assert host["mend"] == "start the engine, or correct spec.endpoint"


def test_one_hung_host_delays_no_other(
    tinyforge: Tinyforge, docker_engine: DockerEngine, make_engine: Callable[..., DockerEngine], tmp_path: Path
) -> None:
    hung = make_engine()
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint)
    declare(folder, host="hung", endpoint=hung.endpoint)
    hung.pause()
    ended = tinyforge("doctor", "--json", "-f", str(folder), TINYFORGE_DOCKER_LIST_TIMEOUT="1s")
    hung.resume()
    assert "Timeout: " in found(ended, "host hung")[0]["finding"]
    assert found(ended, "host local")[0]["verdict"] == "ok"


def test_fault_26_another_engine_than_the_rows_are_of_fails_and_names_the_field(
    tinyforge: Tinyforge, index: Index, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    index.host("local")
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint)
    (host,) = found(tinyforge("doctor", "--json", "-f", str(folder)), "host local")
    assert host["verdict"] == "fail"
    assert 'the rows are of engine "ENGINE"' in host["finding"]
    assert host["mend"].endswith(f"set spec.acknowledgedEngineID: {docker_engine.id}")


@pytest.mark.parametrize(("ahead", "said"), [(90.0, "1m ahead of"), (-3700.0, "61m behind"), (5.1, "5s ahead of")])
def test_a_clock_that_is_wrong_is_warned_of(ahead: float, said: str) -> None:
    (check,) = judge_clock("host local", ahead)
    assert (check.verdict, check.mend) == ("warn", "set both by NTP")
    assert f"its clock is {said} this machine's" in check.finding


@pytest.mark.parametrize("ahead", [0.0, 5.0, -5.0, None])
def test_a_clock_that_is_right_or_not_told_is_not_spoken_of(ahead: float | None) -> None:
    assert judge_clock("host local", ahead) == []


def test_a_suspended_host_is_warned_of_and_left_alone(tinyforge: Tinyforge, tmp_path: Path) -> None:
    folder = declare(tmp_path / "manifests")
    file = folder / "local.yaml"
    file.write_text(file.read_text().replace("spec: {", "spec: {suspend: true, "))
    (host,) = found(tinyforge("doctor", "--json", "-f", str(folder)), "host local")
    assert (host["verdict"], host["mend"]) == ("warn", "take spec.suspend out")


@pytest.fixture
def tls_host(make_engine: Callable[..., DockerEngine], tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Declares an engine behind TLS in tmp_path/manifests, with certificates of a given life; returns the settings for it."""
    authority = Authority.make("ours")

    def make(*, client: timedelta, server: timedelta) -> dict[str, str]:
        engine = make_engine(tls=authority.server(tmp_path / "server", valid_for=server))
        (tmp_path / "secrets").mkdir()
        write_secret(tmp_path / "secrets" / "tls", authority, authority.client(valid_for=client))
        folder = declare(tmp_path / "manifests", endpoint=f"tcp://127.0.0.1:{engine.tcp_port}")
        file = folder / "local.yaml"
        file.write_text(file.read_text().replace("spec: {", "spec: {tls: {secretRef: {name: tls}}, "))
        return {"TINYFORGE_SECRETS": str(tmp_path / "secrets")}

    return make


def test_certificates_that_end_within_30_days_are_warned_of(
    tinyforge: Tinyforge, tls_host: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    settings = tls_host(client=20.5 * DAY, server=10.5 * DAY)
    ended = tinyforge("doctor", "--json", "-f", str(tmp_path / "manifests"), **settings)
    checks = found(ended, "host local")
    assert checks[0]["verdict"] == "ok", ended
    assert {check["verdict"] for check in checks[1:]} == {"warn"}
    findings = "\n".join(check["finding"] for check in checks[1:])
    assert "tls.crt of the Secret tls ends on 20" in findings
    assert "in 20 days" in findings
    assert "the certificate of the engine ends on 20" in findings
    assert "in 10 days" in findings


def test_fault_27_a_certificate_that_ended_fails(tinyforge: Tinyforge, tls_host: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    settings = tls_host(client=-2 * DAY, server=10 * DAY)
    ended = tinyforge("doctor", "--json", "-f", str(tmp_path / "manifests"), **settings)
    assert ended.exit_code == 1
    checks = found(ended, "host local")
    assert "CertificateExpired" in checks[0]["finding"]
    assert any("tls.crt of the Secret tls ended on 20" in check["finding"] for check in checks)


def test_a_secret_that_is_missing_fails_and_names_the_setting(tinyforge: Tinyforge, tmp_path: Path) -> None:
    folder = declare(tmp_path / "manifests", endpoint="tcp://127.0.0.1:1")
    file = folder / "local.yaml"
    file.write_text(file.read_text().replace("spec: {", "spec: {tls: {secretRef: {name: tls}}, "))
    (host,) = found(tinyforge("doctor", "--json", "-f", str(folder)), "host local")
    assert host["verdict"] == "fail"
    assert "TINYFORGE_SECRETS" in host["finding"]


def test_manifests_that_are_well_are_counted(tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path) -> None:
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack"})
    (manifests,) = found(tinyforge("doctor", "--json", "-f", str(folder)), "manifests")
    assert (manifests["verdict"], manifests["finding"]) == ("ok", f"{folder} declares 1 hosts and 1 workloads")


def test_every_problem_of_the_manifests_fails_with_its_place(tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path) -> None:
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint)
    (folder / "bad.yaml").write_text("a: [\n")
    (folder / "lost.yaml").write_text(
        "apiVersion: tinyforge.dev/v1alpha1\nkind: Workload\nmetadata: {name: lost}\nspec: {kind: site, host: gone}\n"
    )
    ended = tinyforge("doctor", "--json", "-f", str(folder))
    assert ended.exit_code == 1
    findings = "\n".join(check["finding"] for check in found(ended, "manifests"))
    assert "bad.yaml:" in findings
    assert 'default/lost is refused: spec.host: no DockerHost "gone" is declared' in findings


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_folder_without_manifests_is_said(what: str, tinyforge: Tinyforge, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    if what == "empty":
        folder.mkdir()
    (manifests,) = found(tinyforge("doctor", "--json", "-f", str(folder)), "manifests")
    assert manifests["verdict"] == ("warn" if what == "empty" else "fail")
    assert str(folder) in manifests["finding"]


def test_a_variable_that_is_no_setting_is_warned_of(tinyforge: Tinyforge) -> None:
    (settings,) = found(tinyforge("doctor", "--json", TINYFORGE_INTREVAL="3"), "settings")
    assert settings["verdict"] == "warn"
    assert "did you mean TINYFORGE_INTERVAL?" in settings["finding"]


def test_a_collector_that_takes_traces_is_well_and_one_that_is_away_is_warned_of_without_its_password(tinyforge: Tinyforge) -> None:
    with collecting() as collector:
        (traces,) = found(tinyforge("doctor", "--json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url), "traces")
    assert (traces["verdict"], traces["finding"]) == ("ok", f"{collector.url} takes them")
    secret = collector.url.replace("http://", "http://me:hunter2-is-no-password@")
    ended = tinyforge("doctor", "--json", OTEL_EXPORTER_OTLP_ENDPOINT=secret)
    (traces,) = found(ended, "traces")
    assert (traces["verdict"], traces["finding"]) == ("warn", f"{collector.url} takes none: ConnectionError")
    assert "start the collector" in traces["mend"]
    assert "hunter2" not in ended.stdout + ended.stderr


def test_a_variable_of_opentelemetry_that_means_nothing_fails(tinyforge: Tinyforge) -> None:
    ended = tinyforge("doctor", "--json", OTEL_TRACES_SAMPLER_ARG="2")
    (traces,) = found(ended, "traces")
    assert (ended.exit_code, traces["verdict"]) == (1, "fail")
    assert traces["finding"].startswith("OTEL_TRACES_SAMPLER_ARG: '2' is no ratio")


@pytest.mark.parametrize("reason", EngineReason)
def test_every_reason_has_a_way_out(reason: EngineReason) -> None:
    assert MENDS[reason]


def test_nothing_is_changed(tinyforge: Tinyforge, index: Index, docker_engine: DockerEngine, tmp_path: Path) -> None:
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack"})
    tinyforge("doctor", "-f", str(folder))
    assert index.sql("SELECT count(*) FROM tinyforge.hosts") == [(0,)]
    assert index.sql("SELECT count(*) FROM tinyforge.workloads") == [(0,)]
    assert index.sql("SELECT epoch FROM tinyforge.leaders") == [(0,)]


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("doctor", "all").exit_code == 2


def test_a_signal_ends_it(program: Program, docker_engine: DockerEngine, make_engine: Callable[..., DockerEngine], tmp_path: Path) -> None:
    hung = make_engine()
    hung.pause()
    doctor = program("doctor", "-f", str(declare(tmp_path / "manifests", endpoint=hung.endpoint)))
    assert doctor.stdout
    while "manifests:" not in doctor.stdout.readline():
        pass
    doctor.terminate()
    assert doctor.wait(timeout=5) == 0
    hung.resume()
