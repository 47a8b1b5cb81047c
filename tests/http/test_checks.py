"""`/healthz` and `/readyz`: what a kubelet gets to see, and a person who asks."""

import asyncio
import time
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http.asking import LOOPBACK, ask
from tests.http.conftest import Port
from tinyforge.http.checks import report
from tinyforge.http.metrics import Metrics
from tinyforge.http.server import serving

SILENT = 'the timer of host "shop" has been silent for 91 s'


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_process_that_is_well_says_ok(path: str, port: Port) -> None:
    answer = await port.ask(path)
    assert (answer.status, answer.body) == (200, "ok\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_process_that_makes_no_progress_says_why_a_line_each(port: Port) -> None:
    port.sick += [SILENT, "kopf does not stay up"]
    answer = await port.ask("/healthz")
    assert (answer.status, answer.lines) == (503, [SILENT, "kopf does not stay up"])


async def test_a_process_may_be_well_and_not_ready_and_the_other_way_round(port: Port) -> None:
    port.unready.append("PostgreSQL does not answer")
    assert [(await port.ask(path)).status for path in ("/healthz", "/readyz")] == [200, 503]
    port.sick.append(SILENT)
    port.unready.clear()
    assert [(await port.ask(path)).status for path in ("/healthz", "/readyz")] == [503, 200]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_what_a_process_is_stands_last_whether_it_is_well_or_not(path: str, port: Port) -> None:
    port.standing = "standby: pod-1/ab12 leads with epoch 7"
    assert (await port.ask(path)).body == "ok\nstandby: pod-1/ab12 leads with epoch 7\n"
    port.sick, port.unready = [SILENT], [SILENT]
    answer = await port.ask(path)
    assert (answer.status, answer.lines) == (503, [SILENT, port.standing])
    port.standing = "a\nb" + "x" * 20_000
    assert len((await port.ask(path)).body) < 1000


async def test_what_has_passed_is_not_held_against_a_process(port: Port) -> None:
    port.sick.append(SILENT)
    assert (await port.ask("/healthz")).status == 503
    port.sick.clear()
    assert (await port.ask("/healthz")).status == 200


async def test_what_a_kubelet_adds_to_the_path_changes_nothing(port: Port) -> None:
    assert (await port.ask("/healthz?verbose")).status == 200


async def test_head_tells_the_status_alone(port: Port) -> None:
    port.sick.append(SILENT)
    answer = await port.ask("/healthz", method="HEAD")
    assert (answer.status, answer.body) == (503, "")
    assert int(answer.headers["Content-Length"]) == len(SILENT) + 1


async def test_2000_silent_timers_fit_into_what_a_kubelet_reads(port: Port) -> None:
    port.sick += [f"the timer of workload shop/{number:0200d} is silent" for number in range(2000)]
    answer = await port.ask("/healthz")
    assert len(answer.body) <= 10 << 10
    assert answer.lines[0] == port.sick[0]
    assert answer.lines[-1] == "and 1980 more"


@given(st.lists(st.text(min_size=1), min_size=1), st.text(min_size=1))
def test_a_sentence_never_breaks_out_of_its_line(wrong: list[str], standing: str) -> None:
    text = report(wrong, standing)
    assert len(text.splitlines()) == len(text.split("\n")) - 1 == 1 + min(len(wrong), 21 if len(wrong) > 20 else 20)
    assert all(line.isprintable() for line in text.splitlines())
    assert len(text) <= 10 << 10


async def test_a_check_that_fails_itself_is_no_health_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> list[str]:
        raise ZeroDivisionError

    async with serving(LOOPBACK, health=broken, readiness=list, metrics=Metrics(sources=[])) as at:
        answer = await ask(at, "/healthz")
        assert (answer.status, answer.body) == (500, "/healthz cannot be answered; the log says why\n")
        assert (await ask(at, "/readyz")).status == 200
    (line,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert line.exc_info
    assert line.exc_info[0] is ZeroDivisionError


async def test_a_check_that_fails_again_and_again_is_logged_once_and_its_end_with_how_often(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tinyforge.http.answers")
    failures: list[Exception] = [ZeroDivisionError(), ZeroDivisionError(), KeyError("a"), KeyError("a")]

    def broken() -> list[str]:
        if failures:
            raise failures.pop(0)
        return []

    async with serving(LOOPBACK, health=broken, readiness=list, metrics=Metrics(sources=[])) as at:
        assert [(await ask(at, "/healthz")).status for _ in range(6)] == [500, 500, 500, 500, 200, 200]
    assert [record.getMessage() for record in caplog.records] == [
        "/healthz cannot be answered",
        "/healthz cannot be answered",
        "/healthz can be answered again (failures: 4)",
    ]


async def test_an_event_loop_that_is_stuck_answers_no_probe(port: Port) -> None:
    def probe() -> str:
        try:
            with urllib.request.urlopen(f"http://{port.at}/healthz", timeout=0.2) as answer:
                return str(answer.status)
        except TimeoutError:
            return "no answer"

    probing = asyncio.get_running_loop().run_in_executor(None, probe)
    time.sleep(0.6)  # noqa: ASYNC251 - this is how it is stuck
    assert await probing == "no answer"
