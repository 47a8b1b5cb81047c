"""Several controllers on one database, one after the other or at once: the newest leads, and the others have written their last."""

import signal

import pytest

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.controllers import SOON
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.cutting_socket import CuttingSocket, hang
from tests.servers.docker_engine import DockerEngine

LIST = "/containers/json"
WEB = "default/shop:web"
OPERATOR = "UPDATE tinyforge.leaders SET epoch = 7, holder = 'pod-1', session = 'x', driver = 'operator', lease = 'uid/tinyforge'"


@pytest.mark.parametrize("frozen", [False, True], ids=["at work", "frozen meanwhile"])
def test_p7_a_second_run_deposes_the_first_which_says_by_whom_ends_with_1_and_writes_nothing_more(
    frozen: bool, shop: DockerEngine, run: Start, index: Index
) -> None:
    first = run(TINYFORGE_INTERVAL="10ms")
    index.becomes({WEB: "running"})
    index.record()
    index.passes(count=3)
    if frozen:
        first.signal(signal.SIGSTOP)
    second = run(TINYFORGE_INTERVAL="10ms")
    first.signal(signal.SIGCONT)
    assert first.ends(within=SOON) == 1
    ((holder,),) = index.sql("SELECT holder FROM tinyforge.leaders")
    assert first.messages[-1].startswith("Error: ")
    assert all(told in first.messages[-1] for told in (holder, "epoch 1", "epoch 2"))
    shop.client.kill("web")
    index.becomes({WEB: "stopped"})
    assert second.runs
    sessions = [session for *_, session in index.history("%")]
    claimed = [what for what, *_ in index.history("%")].index("main")
    assert len(set(sessions[:claimed])) == 1
    assert set(sessions[claimed:]) == {sessions[claimed]} != set(sessions[:claimed])


def test_p7_of_three_started_at_once_one_stays_and_the_others_end_with_1_though_they_have_nothing_to_write(
    shop: DockerEngine, start: Start, manifests: Manifests, index: Index
) -> None:
    started = [start("-f", manifests.folder, TINYFORGE_INTERVAL="5m") for _ in range(3)]
    until(lambda: sorted(controller.runs for controller in started), [False, False, True])
    assert [controller.ends() for controller in started if not controller.runs] == [1, 1]
    index.becomes({WEB: "running"})
    assert index.sql("SELECT epoch FROM tinyforge.leaders") == [(3,)]


@pytest.mark.parametrize("moment", ["in the middle of a list", "before the first pass"])
def test_after_a_kill_the_next_run_goes_on_from_what_is_there(
    moment: str, shop: DockerEngine, cutting_socket: CuttingSocket, manifests: Manifests, run: Start, index: Index
) -> None:
    manifests.host("local", cutting_socket.endpoint)
    if moment == "before the first pass":
        cutting_socket.spoil(LIST, hang(after=10))
    killed = run()
    if moment == "in the middle of a list":
        index.becomes({WEB: "running"})
        asked = cutting_socket.next_request(LIST)
        cutting_socket.spoil(LIST, hang(after=10))
        asked.result(10)
    killed.kill()
    cutting_socket.heal()
    shop.client.kill("web")
    db = shop.create("db", belonging_to("shop", "db"), start=True)
    run().says("leads with epoch 2")
    index.becomes({"default/shop:db": "running", WEB: "stopped"})
    assert index.containers()["default/shop:db"] == db


def test_a_database_led_by_an_operator_is_left_alone_until_it_is_taken_over(
    shop: DockerEngine, start: Start, manifests: Manifests, index: Index
) -> None:
    index.sql(OPERATOR)
    before = index.everything()
    refused = start("-f", manifests.folder)
    assert refused.ends() == 1
    assert refused.messages[-1].startswith("Error: this database is led by pod-1 (driver operator under Lease uid/tinyforge)")
    assert "--take-over" in refused.messages[-1]
    assert index.everything() == before
    taking = start("-f", manifests.folder, "--take-over")
    taking.says("leads with epoch 8")
    index.becomes({WEB: "running"})
