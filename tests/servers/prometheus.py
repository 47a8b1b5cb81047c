"""A real Prometheus that scrapes programs of the tests several times a second, and in which nothing has to hold for long to be an alarm."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.servers.server_process import ServerProcess

AT_ONCE = "1s"
EVERY = "200ms"

Result = Any


class Prometheus:
    """Prometheus on an address of its own; `process` runs it.

    Args:
        folder: a folder for its configuration, its data and its log.
        address: an address of the loopback network where port 9090 is free.
        targets: the addresses that it scrapes, as job `tinyforge` in namespace `ops`.
        rules: a file of alert rules.
    """

    def __init__(self, folder: Path, *, address: str, targets: list[str], rules: Path) -> None:
        self._url = f"http://{address}:9090"
        hasty = re.sub(r"^( *for:) .*$", rf"\1 {AT_ONCE}", rules.read_text(), flags=re.MULTILINE)
        (folder / "alerts.yaml").write_text(hasty)
        configuration = {
            "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY},
            "rule_files": ["alerts.yaml"],
            "scrape_configs": [{"job_name": "tinyforge", "static_configs": [{"targets": targets, "labels": {"namespace": "ops"}}]}],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        command = [
            "prometheus",
            f"--web.listen-address={address}:9090",
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/data",
            "--enable-feature=exemplar-storage",
        ]
        self.process = ServerProcess(command, folder=folder, answers=self._answers)

    def query(self, expression: str) -> list[Result]:
        """What an expression comes to now: a series each, with its labels and its value."""
        return list(self._ask("query", query=expression)["result"])

    def exemplars(self, expression: str) -> list[Result]:
        """The exemplars of the series in an expression, all that are kept."""
        found = self._ask("query_exemplars", query=expression, start="0", end="9999999999")
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def firing(self) -> dict[str, Result]:
        """The alerts that fire now, by name; one of each."""
        return {alert["labels"]["alertname"]: alert for alert in self._ask("alerts")["alerts"] if alert["state"] == "firing"}

    def _ask(self, path: str, **parameters: str) -> Result:
        try:
            return json.loads(self._get(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error

    def _answers(self) -> bool:
        try:
            return bool(self._get("/-/ready"))
        except OSError:
            return False

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self._url}{path}", timeout=5) as answer:  # noqa: S310 - an address of our own
            return bytes(answer.read())
