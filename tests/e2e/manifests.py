"""A folder of manifests, written as editors write: each file at once, under its name when it is whole."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

API = "tinyforge.dev/v1alpha1"


class Manifests:
    """The folder; it is made when it is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def host(self, name: str, endpoint: str, **spec: Any) -> str:
        """Declare a DockerHost, and return the name of its file."""
        return self.write(f"host-{name}.yaml", document("DockerHost", name, {"endpoint": endpoint, **spec}))

    def workload(self, name: str, kind: str, *, host: str = "local", **spec: Any) -> str:
        """Declare a Workload in the namespace default, and return the name of its file."""
        return self.write(f"{name}.yaml", document("Workload", name, {"kind": kind, "host": host, **spec}))

    def write(self, file: str, text: str) -> str:
        """Write a file, and return its name."""
        unfinished = self.folder / f".{file}"
        unfinished.write_text(text)
        os.replace(unfinished, self.folder / file)
        return file

    def remove(self, file: str) -> None:
        """Remove a file."""
        (self.folder / file).unlink()


def document(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """An object in YAML."""
    return yaml.safe_dump({"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}, sort_keys=False)
