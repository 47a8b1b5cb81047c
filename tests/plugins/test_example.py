"""A package of somebody else's, really built and installed, is found and does its work."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.plugins.site import Site
from tinyforge.plugin import Container, DeploymentIntent, Failed, Seen, Workload
from tinyforge.reconcile.plugins import PluginFault, Prepared, load_plugins

WORKLOAD = Workload(id="default/shop", kind="stack", host="local")
CONTAINERS = tuple(
    Container(row=f"default/shop:{role}", container_id="c" * 64, role=role, image="nginx", state="running", port=0)
    for role in ("web", "db")
)
MORNING = datetime(2026, 3, 1, 6, tzinfo=UTC)


def test_it_is_found_beside_the_built_in_ones_with_its_name_and_version(example: Site) -> None:
    plugins = load_plugins()
    assert [f"{each.kind}: {each.origin}" for each in plugins.sources] == ["budget: tinyforge-example 1.2.3", "external: tinyforge 0.1.0"]
    assert [f"{each.kind}: {each.origin}" for each in plugins.triggers] == ["daily: tinyforge-example 1.2.3", "manual: tinyforge 0.1.0"]


async def test_its_source_and_trigger_do_their_work_with_a_config_that_was_checked(example: Site) -> None:
    plugins = load_plugins()
    source, trigger = plugins.source("budget", {"running": 1}), plugins.trigger("daily", {"hour": 5})
    assert isinstance(source, Prepared)
    assert isinstance(trigger, Prepared)
    outcome = await source.plugin.reconcile(Seen(workload=WORKLOAD, config=source.config, containers=CONTAINERS, as_of=MORNING))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "OverBudget"
    intent = await trigger.plugin.check(Seen(workload=WORKLOAD, config=trigger.config, containers=CONTAINERS, as_of=MORNING))
    assert intent == DeploymentIntent(id="daily-2026-03-01", reason="it is past 5 o'clock")


def test_a_config_that_it_refuses_never_reaches_it(example: Site) -> None:
    fault = load_plugins().source("budget", {})
    assert isinstance(fault, PluginFault)
    assert "refuses spec.source.config.running: is missing: How many containers may run at once." in fault.message


def test_a_person_sees_it_by_tinyforge_plugins(example_folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(example_folder)}
    listed = subprocess.run([sys.executable, "-m", "tinyforge", "plugins"], env=environment, capture_output=True, text=True, check=True)
    assert [line.split()[:5] for line in listed.stdout.splitlines()[1:]] == [
        ["budget", "source", "tinyforge-example", "1.2.3", "ok"],
        ["external", "source", "tinyforge", "0.1.0", "ok"],
        ["daily", "trigger", "tinyforge-example", "1.2.3", "ok"],
        ["manual", "trigger", "tinyforge", "0.1.0", "ok"],
    ]
