"""`tinyforge run`: as a process that is started, watched, deposed and ended."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.cli.conftest import Program, Tinyforge
from tests.cli.controllers import declare
from tests.cli.index import Index
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import OwnPostgres, cluster_folder

STACK = {"com.docker.compose.project": "tinyforge-default_shop", "com.docker.compose.service": "web"}
KEYS = ["host", "outcome", "reason", "message", "listed", "matched", "ignored", "written", "missing", "durationSeconds", "traceID"]


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Read what a program says until it says a text, and return the line."""
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never said:\n{''.join(said)}")


def kill_and_see_revived(pid_file: Path) -> None:
    """kill -9 the embedded server and wait until there is another one."""
    pid = pid_file.read_text().splitlines()[0]
    os.kill(int(pid), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while not pid_file.exists() or pid_file.read_text().splitlines()[:1] in ([], [pid]):
        assert time.monotonic() < deadline, "the server was not revived"
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_within_a_second_with_its_exit_code(number: signal.Signals, code: int, program: Program, tmp_path: Path) -> None:
    run = program("run", "-f", str(declare(tmp_path / "manifests")))
    read_until(run, "leads with epoch 1")
    run.send_signal(number)
    assert run.wait(timeout=5) == code
    stdout, stderr = run.communicate()
    assert stdout == ""
    assert "Traceback" not in stderr


def test_it_brings_the_schema_up_to_date_and_indexes(
    program: Program, empty_database_url: str, tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    docker_engine.create("shop-web-1", STACK, start=True)
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack"})
    run = program("run", "-f", str(folder), TINYFORGE_DATABASE_URL=empty_database_url)
    read_until(run, "migration 0001_index applied")
    read_until(run, "1 containers listed, 1 matched")
    (row,) = tinyforge("ps", "--json", TINYFORGE_DATABASE_URL=empty_database_url).json
    assert (row["id"], row["effective_state"]) == ("default/shop:web", "running")


def test_it_says_where_the_index_is_without_the_password(program: Program, tmp_path: Path) -> None:
    run = program("run", "-f", str(declare(tmp_path / "manifests")))
    assert read_until(run, "psql") == 'The index is in PostgreSQL: psql "$TINYFORGE_DATABASE_URL"\n'


def test_without_a_folder_it_says_how_many_containers_it_saw_and_why_none_is_managed(program: Program, docker_engine: DockerEngine) -> None:
    docker_engine.create("nobody")
    run = program("run", DOCKER_HOST=docker_engine.endpoint)
    read_until(run, "saw 1 containers and manages none, since no workload is declared")


def test_the_second_one_deposes_the_first_which_says_by_whom_and_ends_with_1(program: Program, index: Index, tmp_path: Path) -> None:
    first = program("run", "-f", str(declare(tmp_path / "manifests")))
    read_until(first, "leads with epoch 1")
    second = program("run", "-f", str(tmp_path / "manifests"))
    read_until(second, "leads with epoch 2")
    ((holder,),) = index.sql("SELECT holder FROM tinyforge.leaders")
    assert first.wait(timeout=5) == 1
    last = first.communicate()[1].splitlines()[-1]
    assert last.startswith(f"Error: {holder} took over with epoch 2")
    assert second.poll() is None


def test_a_database_led_by_an_operator_is_refused_and_can_be_taken_over(program: Program, index: Index, tmp_path: Path) -> None:
    index.sql("UPDATE tinyforge.leaders SET epoch = 7, holder = 'pod', session = 'x', driver = 'operator', lease = 'uid/tinyforge'")
    folder = str(declare(tmp_path / "manifests"))
    refused = program("run", "-f", folder)
    assert refused.wait() == 1
    assert "this database is led by pod (driver operator under Lease uid/tinyforge)" in refused.communicate()[1]
    read_until(program("run", "-f", folder, "--take-over"), "leads with epoch 8")


def test_postgresql_away_at_the_start_is_said_and_waited_for(program: Program, own_postgres: OwnPostgres, tmp_path: Path) -> None:
    own_postgres.stop()
    run = program("run", "-f", str(declare(tmp_path / "manifests")), TINYFORGE_DATABASE_URL=own_postgres.url)
    read_until(run, "trying again every 2 s")
    own_postgres.start()
    assert "leads with epoch 1" in read_until(run, '"leading"')


def test_a_signal_ends_the_wait_for_postgresql(program: Program, tmp_path: Path) -> None:
    run = program("run", "-f", str(declare(tmp_path / "manifests")), TINYFORGE_DATABASE_URL="postgresql:///none?host=/nowhere")
    read_until(run, "trying again every 2 s")
    run.terminate()
    assert run.wait(timeout=5) == 0


def test_a_missing_folder_ends_it_at_the_start(program: Program) -> None:
    run = program("run", "-f", "/nowhere/manifests")
    assert run.wait() == 1
    assert "/nowhere/manifests" in run.communicate()[1]


def test_an_empty_folder_is_said(program: Program, tmp_path: Path) -> None:
    read_until(program("run", "-f", str(tmp_path)), "holds no manifests")


def test_once_makes_one_pass_prints_it_and_ends(tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path) -> None:
    docker_engine.create("shop-web-1", STACK)
    docker_engine.create("nobody")
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack"})
    ended = tinyforge("run", "-f", str(folder), "--once", "--json")
    assert ended.exit_code == 0, ended
    (found,) = ended.json
    assert list(found) == KEYS
    assert (found["outcome"], found["listed"], found["matched"], found["written"]) == ("changed", 2, 1, 1)
    again = tinyforge("run", "-f", str(folder), "--once")
    assert again.stdout.splitlines()[1].split()[:7] == ["local", "unchanged", "2", "1", "1", "0", "0"]


def test_once_with_a_host_that_failed_prints_it_and_ends_with_1(tinyforge: Tinyforge, tmp_path: Path) -> None:
    ended = tinyforge("run", "-f", str(declare(tmp_path / "manifests")), "--once", "--json")
    assert ended.exit_code == 1
    assert (ended.json[0]["outcome"], ended.json[0]["reason"]) == ("failed", "ConnectFailed")


def test_once_with_a_refused_container_ends_with_0(tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path) -> None:
    docker_engine.create("liar", {**STACK, "tinyforge.workload.kind": "site"})
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack"})
    ended = tinyforge("run", "-f", str(folder), "--once", "--json")
    assert (ended.exit_code, ended.json[0]["ignored"]) == (0, 1)


@pytest.mark.parametrize(
    "manifest",
    [
        "kind: Nothing\n",
        "apiVersion: tinyforge.dev/v1alpha1\nkind: Workload\nmetadata: {name: lost}\nspec: {kind: site, host: gone}\n",
        "a: [\n",
    ],
    ids=["a document that is none", "a workload whose host nobody declares", "no YAML"],
)
def test_p10_once_with_a_bad_manifest_writes_nothing_and_ends_with_1(
    manifest: str, tinyforge: Tinyforge, index: Index, tmp_path: Path
) -> None:
    folder = declare(tmp_path / "manifests", workloads={"shop": "kind: stack"})
    (folder / "bad.yaml").write_text(manifest)
    ended = tinyforge("run", "-f", str(folder), "--once", "--json")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "bad.yaml:" in ended.stderr
    assert index.sql("SELECT name FROM tinyforge.hosts") == []
    assert index.sql("SELECT epoch FROM tinyforge.leaders") == [(0,)]


def test_once_with_postgresql_away_ends_with_1_at_once(tinyforge: Tinyforge, tmp_path: Path) -> None:
    ended = tinyforge("run", "-f", str(declare(tmp_path / "m")), "--once", TINYFORGE_DATABASE_URL="postgresql:///none?host=/nowhere")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: PostgreSQL: ")


@pytest.mark.parametrize("arguments", [["--json"], ["--interval", "3"], ["folder"]])
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge("run", *arguments)
    assert ended.exit_code == 2
    assert "Usage: tinyforge run" in ended.stderr


def test_without_a_database_url_the_embedded_one_is_made_revived_joined_by_other_verbs_and_stopped(
    program: Program, tmp_path: Path
) -> None:
    with cluster_folder() as folder:
        embedded = {"TINYFORGE_DATABASE_URL": None, "TINYFORGE_DATA": str(folder / "data")}
        run = program("run", "-f", str(declare(tmp_path / "manifests")), **embedded)
        assert quote(str(folder / "data" / "postgres"), safe="") in read_until(run, "psql")
        read_until(run, "ConnectFailed")
        kill_and_see_revived(folder / "data" / "postgres" / "postmaster.pid")
        hosts = program("hosts", "--json", **embedded)
        assert json.loads(hosts.communicate()[0])[0]["name"] == "local"
        run.terminate()
        assert run.wait(timeout=10) == 0
        assert not (folder / "data" / "postgres" / "postmaster.pid").exists()
        again = program("ps", "--json", **embedded)
        assert (again.communicate()[0], again.returncode) == ("[]\n", 0)
        assert not (folder / "data" / "postgres" / "postmaster.pid").exists()


def test_the_examples_that_are_shipped_are_run(tinyforge: Tinyforge, docker_engine: DockerEngine, tmp_path: Path) -> None:
    """With the endpoint of the tests' engine in place of this machine's own."""
    (tmp_path / "m").mkdir()
    for file in (Path(__file__).parents[2] / "manifests" / "examples").glob("*.yaml"):
        text = file.read_text().replace("unix:///var/run/docker.sock", docker_engine.endpoint)
        assert list(yaml.safe_load_all(text))
        (tmp_path / "m" / file.name).write_text(text)
    docker_engine.create("hello", {"tinyforge.workload.id": "default/hello"}, start=True)
    ended = tinyforge("run", "-f", str(tmp_path / "m"), "--once", "--json")
    assert ended.exit_code == 0, ended
    assert ended.json[0]["matched"] == 1
    assert "default/hello" in tinyforge("ps").stdout
