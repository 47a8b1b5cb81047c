"""The alert rules: what promtool says of them, and that each was seen to fire and to be silent."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.rules import RULES, alerts

CASES = sorted(Path(__file__).parent.glob("*.yaml"))


def promtool(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def cases() -> list[dict[str, Any]]:
    return [case for file in CASES for case in yaml.safe_load(file.read_text())["tests"]]


def fired(case: dict[str, Any]) -> set[str]:
    """The names of the alerts that the case sees fire."""
    samples = [sample["labels"] for test in case["promql_expr_test"] for sample in test["exp_samples"]]
    return {alert.name for alert in alerts() if any(f'alertname="{alert.name}"' in labels for labels in samples)}


def is_silent_once(case: dict[str, Any]) -> bool:
    return any(test["expr"] == 'ALERTS{alertstate="firing"}' and not test["exp_samples"] for test in case["promql_expr_test"])


def test_prometheus_takes_the_rules() -> None:
    code, printed = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert code == 0, printed
    assert f"{len(alerts())} rules found" in printed


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_not_before(file: Path) -> None:
    code, printed = promtool("test", "rules", file)
    assert code == 0, printed


def test_every_alert_has_a_case_in_which_it_fires_and_in_which_it_was_silent_before() -> None:
    seen = {name for case in cases() if is_silent_once(case) for name in fired(case)}
    assert seen == {alert.name for alert in alerts()}


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case["name"] for case in cases()]
    assert len(set(names)) == len(names) > len(alerts())


def test_every_alert_says_how_urgent_it_is_and_what_is_the_matter() -> None:
    for alert in alerts():
        assert alert.labels["severity"] in {"critical", "warning", "info"}, alert.name
        assert alert.annotations.keys() == {"summary", "description", "runbook"}, alert.name
        assert alert.annotations["summary"].endswith("."), alert.name
        assert len(alert.annotations["summary"]) < 100, alert.name


def test_no_alert_begins_anew_because_another_process_leads() -> None:
    for alert in alerts():
        grouped = "by (namespace, job" in alert.expr or alert.expr.startswith("absent(")
        assert grouped, alert.name
        assert "instance" not in alert.expr, alert.name
