"""The terms of `tinyforge run`, which has no Lease: whoever starts last leads. In a real Jaeger, and in the log."""

import signal

from tests.e2e.conftest import Start
from tests.e2e.controllers import SOON
from tests.e2e.terms import steps, terms
from tests.servers.docker_engine import DockerEngine
from tests.servers.jaeger import Jaeger


def test_who_is_deposed_and_who_ends_as_asked_both_leave_why(run: Start, shop: DockerEngine, jaeger: Jaeger) -> None:
    first = run(**jaeger.settings("terms-alone-first"))
    second = run(**jaeger.settings("terms-alone-second"))
    assert first.ends(within=SOON) == 1
    won, deposed = terms(jaeger, "terms-alone-first", "won", "deposed")
    assert (won.attributes["tinyforge.epoch"], steps(jaeger, won)) == (1, ["index.claim"])
    assert (deposed.attributes["tinyforge.epoch"], steps(jaeger, deposed)) == (1, [])
    assert "took over with epoch 2" in str(deposed.attributes["tinyforge.term.reason"])
    assert (deposed.status, deposed.attributes["error.type"]) == ("error", "Fenced")

    second.signal(signal.SIGTERM)
    assert second.ends(within=SOON) == 0
    _, ended = terms(jaeger, "terms-alone-second", "won", "released")
    assert (ended.attributes["tinyforge.epoch"], steps(jaeger, ended)) == (2, ["drain"])
    assert (ended.status, ended.attributes["tinyforge.term.reason"]) == ("unset", "this process was asked to end")


def test_every_line_of_a_term_has_its_epoch(run: Start, shop: DockerEngine) -> None:
    controller = run()
    controller.says("containers listed")
    lines = {line["action"]: line.get("epoch") for line in controller.lines if "action" in line}
    assert lines.items() >= {"leading": 1, "host_declared": 1, "pass_ended": 1}.items()
    assert "migration_applied" not in lines or lines["migration_applied"] is None
