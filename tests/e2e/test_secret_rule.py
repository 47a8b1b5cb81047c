"""The secret rule (fault 44), in standalone: of all the secrets that Tinyforge is given, none is in anything that it says.

They are planted in every input of a real run at its most talkative; then its spans, metrics, log lines, statuses and the rest of the index
are looked through, and what its verbs print. A config is in the mirror, which is what was declared and not what is said, and nowhere else.
"""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import secretive_plugin
from tests.e2e.canaries import Canaries
from tests.e2e.collecting import Collector, collecting
from tests.e2e.conftest import Start
from tests.e2e.controllers import Controller, environment_of_a_user, tinyforge
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.e2e.secretive_containers import start_secretive_containers
from tests.plugins.site import site_packages
from tests.servers.docker_engine import DockerEngine

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
VERBS = (
    ["settings"],
    ["settings", "--json"],
    ["doctor"],
    ["doctor", "-f", "FOLDER"],
    ["doctor", "--json"],
    ["hosts"],
    ["hosts", "--json"],
    ["workloads"],
    ["workloads", "--json"],
    ["ps"],
    ["ps", "--json"],
    ["leader"],
    ["leader", "--json"],
    ["plugins"],
    ["sync", "--json"],
    ["explain", "stranger", "--json"],
    ["explain", "web"],
    ["explain", "web", "-f", "FOLDER"],
    ["deploy", "raising", "--json"],
    ["forget", "shop", "--json"],
    ["trace", "raising"],
    ["run", "--once", "--json", "-f", "FOLDER"],
)

Environment = dict[str, str]


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting(refusals=1) as collector:
        yield collector


@pytest.fixture
def secret_folders(tmp_path: Path, canaries: Canaries) -> Path:
    """What TINYFORGE_SECRETS names: a client's key and certificate that are none, and a key for ssh that is none."""
    content = {"tls": ("ca.crt", "tls.crt", "tls.key"), "ssh": ("ssh-privatekey", "known_hosts")}
    for name, keys in content.items():
        (tmp_path / "secrets" / name).mkdir(parents=True)
        for key in keys:
            secret = canaries.plant(f"Secret {name}, {key}")
            (tmp_path / "secrets" / name / key).write_text(f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n")
    return tmp_path / "secrets"


@pytest.fixture
def environment(canaries: Canaries, collector: Collector, secret_folders: Path, database_url: str, tmp_path: Path) -> Iterator[Environment]:
    """The variables of somebody who has a secret in each that may hold one."""
    with site_packages(tmp_path / "site-packages") as site:
        yield {
            "PYTHONPATH": secretive_plugin.install(site),
            "TINYFORGE_DATABASE_URL": f"{database_url}&password={canaries.plant('password of TINYFORGE_DATABASE_URL')}",
            "PGPASSWORD": canaries.plant("PGPASSWORD"),
            "TINYFORGE_SECRETS": str(secret_folders),
            "TINYFORGE_JAEGER_URL": f"http://me:{canaries.plant('password of TINYFORGE_JAEGER_URL')}@127.0.0.1:1",
            "TINYFORGE_HTTP_ADDRESS": "127.0.0.1:0",
            "TINYFORGE_LOG_LEVEL": "debug",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:{canaries.plant('password of OTEL_EXPORTER_OTLP_ENDPOINT')}@{collector.place}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-api-key={canaries.plant('OTEL_EXPORTER_OTLP_HEADERS')}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "REGISTRY_TOKEN": canaries.plant("REGISTRY_TOKEN"),
        }


@pytest.fixture
def controller(
    run: Start, docker_engine: DockerEngine, manifests: Manifests, canaries: Canaries, environment: Environment, index: Index
) -> Controller:
    """A controller of all that, which has come to know it: what works, what is refused and what fails."""
    declare(manifests, docker_engine.endpoint, canaries)
    start_secretive_containers(docker_engine, canaries)
    controller = run(**environment)
    controller.says("ConfigInvalid")
    controller.says("PluginRaised")
    index.host_becomes("unreachable (SecretUnusable)", "tls")
    index.host_becomes("unreachable (SSHFailed)", "ssh")
    index.passes(count=2)
    return controller


def declare(manifests: Manifests, endpoint: str, canaries: Canaries) -> None:
    """Write manifests with secrets where somebody may put one, by mistake or since a plugin asks for it."""
    manifests.host("local", endpoint)
    manifests.host("tls", "tcp://127.0.0.1:1", tls={"secretRef": {"name": "tls"}})
    manifests.host("ssh", "ssh://deploy@127.0.0.1:1", ssh={"secretRef": {"name": "ssh"}})
    manifests.host("locked", f"tcp://me:{canaries.plant('password of an endpoint')}@127.0.0.1:2376")
    triggered: dict[str, Any] = {"trigger": {"kind": "manual"}}
    manifests.workload("hello", "site")
    manifests.workload("shop", "stack", source={"kind": "external"}, **triggered)
    configured = {
        "raising": ("theirs", canaries.plant("config that a plugin puts into errors")),
        "unread": ("theirs", [canaries.plant("config of the wrong type")]),
        "unknown": ("external", canaries.plant("field of a config that is none")),
        "nobodys": ("nobodys", canaries.plant("config of no plugin")),
    }
    for name, (kind, token) in configured.items():
        manifests.workload(name, "site", source={"kind": kind, "config": {"token": token}}, **triggered)
    manual = {"kind": "manual", "config": {"token": canaries.plant("config of a trigger")}}
    manifests.workload("triggered", "site", source={"kind": "external"}, trigger=manual)
    manifests.workload("misplaced", "site", password=canaries.plant("field of a spec that is none"))


def test_fault_44_no_secret_of_any_input_is_in_spans_metrics_log_lines_statuses_or_what_a_verb_prints(
    controller: Controller, canaries: Canaries, collector: Collector, environment: Environment, manifests: Manifests, index: Index
) -> None:
    collector.says("workload.dispatch", "default/raising", "PluginRaised", "index.pass", "docker.containers.list", "SecretUnusable")
    assert canaries.heard_in(collector.headers), "the collector is not spoken to with what was planted"
    metrics = {form: asked(controller, form) for form in ("", OPENMETRICS)}
    user = environment_of_a_user(**environment)
    printed = {" ".join(verb): spoken(verb, manifests, user) for verb in VERBS}
    controller.signal(signal.SIGTERM)
    controller.ends()
    canaries.assert_silent(
        {
            "log": "\n".join(map(json.dumps, controller.lines)),
            "spans": collector.text,
            "metrics": metrics[""],
            "metrics with exemplars": metrics[OPENMETRICS],
            "statuses of workloads": json.dumps(index.sql("SELECT id, status FROM tinyforge.workloads")),
            **index_without_configs(index),
            **printed,
        }
    )


@pytest.mark.parametrize(
    "address", ["{url}&port=1", "postgresql://me:{secret}@127.0.0.1:1/x", "postgresql://me:{secret}/x@y@/#?", "me:{secret}"]
)
def test_fault_44_a_database_that_does_not_answer_is_told_without_its_password(
    address: str, start: Start, canaries: Canaries, database_url: str
) -> None:
    url = f"{database_url}&password={canaries.plant('password')}"
    written = {"TINYFORGE_DATABASE_URL": address.format(url=url, secret=canaries.plant("another password")), "TINYFORGE_LOG_LEVEL": "debug"}
    controller = start(**written)
    controller.says("is no PostgreSQL address" if address.startswith("me") else "trying again every")
    doctor = tinyforge("doctor", environment=environment_of_a_user(**written))
    assert doctor.returncode != 0
    canaries.assert_silent({"log": "\n".join(map(json.dumps, controller.lines)), "doctor": doctor.stdout + doctor.stderr})


def asked(controller: Controller, form: str) -> str:
    """What /metrics answers."""
    place = controller.says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]
    with urllib.request.urlopen(urllib.request.Request(f"http://{place}/metrics", headers={"Accept": form} if form else {})) as answer:
        return str(answer.read().decode())


def spoken(verb: list[str], manifests: Manifests, environment: Environment) -> str:
    """What a verb prints, however it ends."""
    arguments = [str(manifests.folder) if each == "FOLDER" else each for each in verb]
    ended = tinyforge(*arguments, environment=environment)
    assert "Traceback" not in ended.stderr
    return ended.stdout + ended.stderr


def index_without_configs(index: Index) -> dict[str, str]:
    """Everything in the index, by table, but for the configs: they are what was declared."""
    tables = {name: [json.loads(row) for row in rows] for name, rows in index.everything().items()}
    for row in tables["workloads"]:
        del row["source_config"], row["trigger_config"]
    return {f"table {name}": json.dumps(rows) for name, rows in tables.items() if rows}
