"""The contract that every plugin has to pass: the built-in ones do, somebody else's does, and whatever falls short is told so."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.plugins import bad_configs, bad_sources, bad_triggers
from tests.plugins.site import Site
from tests.servers.bare_machine import ROOT
from tinyforge.plugin import Seen, Workload
from tinyforge.reconcile.plugins import Loaded, load_plugins
from tinyforge.sources.external import ExternalConfig
from tinyforge.testing import SourceContract, TriggerContract


def plugin_of(kind: str) -> Any:
    plugins = load_plugins()
    (found,) = [each for each in (*plugins.sources, *plugins.triggers) if each.kind == kind]
    assert isinstance(found, Loaded)
    return found.plugin


class TestExternal(SourceContract):
    @pytest.fixture
    def plugin(self) -> Any:
        return plugin_of("external")

    @pytest.fixture(
        params=[{}, {"roles": {"web": {"replicas": 2, "image": "nginx", "ports": [8080]}, "": {}, "db": {"ports": []}}}],
        ids=["nothing", "roles"],
    )
    def config(self, request: pytest.FixtureRequest) -> Any:
        return request.param


class TestManual(TriggerContract):
    @pytest.fixture
    def plugin(self) -> Any:
        return plugin_of("manual")

    @pytest.fixture
    def config(self) -> Any:
        return {}


class TestTheExamplesSource(SourceContract):
    @pytest.fixture
    def plugin(self, example: Site) -> Any:
        return plugin_of("budget")

    @pytest.fixture(params=[0, 10_000])
    def config(self, request: pytest.FixtureRequest) -> Any:
        return {"running": request.param}


class TestTheExamplesTrigger(TriggerContract):
    @pytest.fixture
    def plugin(self, example: Site) -> Any:
        return plugin_of("daily")

    @pytest.fixture(params=[{}, {"hour": 23}], ids=["by default", "late"])
    def config(self, request: pytest.FixtureRequest) -> Any:
        return request.param


BAD_MODULES = (bad_configs, bad_sources, bad_triggers)
BAD = {name: case for module in BAD_MODULES for name, case in vars(module).items() if name.startswith("Test")}


def told(folder: Path) -> dict[str, dict[str, str]]:
    """Let the contract look at the bad plugins, and return what it told each: of each test that failed, why."""
    files = [shutil.copy(str(module.__file__), folder) for module in BAD_MODULES]
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "--tb=native", "--junitxml=report.xml", "-p", "no:cacheprovider", "--rootdir=.", "-c=pytest.ini"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (folder / "report.xml").exists(), ended.stdout + ended.stderr
    failed: dict[str, dict[str, str]] = {name: defaultdict(str) for name in BAD}
    for case in ET.parse(folder / "report.xml").iter("testcase"):  # noqa: S314 - pytest's own report
        for result in (*case.iter("failure"), *case.iter("error")):
            name = case.attrib["name"].partition("[")[0].removeprefix("test_")
            failed[case.attrib["classname"].rpartition(".")[2]][name] += result.text or ""
    return failed


def test_each_way_to_fall_short_is_told_by_the_tests_that_it_concerns_and_no_other(tmp_path: Path) -> None:
    failed = told(tmp_path)
    assert {name: set(tests) for name, tests in failed.items()} == {name: set(case.fails) for name, case in BAD.items()}
    for name, case in BAD.items():
        assert case.says in "".join(failed[name].values()), name


def test_every_test_of_the_contract_can_fail() -> None:
    tests = {name.removeprefix("test_") for contract in (SourceContract, TriggerContract) for name in dir(contract) if "test_" in name}
    assert set().union(*(case.fails for case in BAD.values())) == tests


def test_a_sight_can_be_made_with_the_type_of_its_config() -> None:
    workload = Workload(id="default/shop", kind="stack", host="local")
    seen = Seen[ExternalConfig](workload=workload, config=ExternalConfig(), containers=(), as_of=datetime.now(UTC))
    assert seen.config == ExternalConfig()
