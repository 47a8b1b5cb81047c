"""A folder of manifests that a test writes, and what is told about it."""

from pathlib import Path
from textwrap import dedent

from tinyforge.standalone.manifests.read import FolderReading, read_folder

HOST = "apiVersion: tinyforge.dev/v1alpha1\nkind: DockerHost\nmetadata: {name: local}\nspec: {endpoint: unix:///var/run/docker.sock}\n"


def workload(name: str, kind: str = "project") -> str:
    return f"apiVersion: tinyforge.dev/v1alpha1\nkind: Workload\nmetadata:\n  name: {name}\nspec: {{kind: {kind}, host: local}}\n"


class Folder:
    """The folder is called `manifests`; problems are told as people see them, without the way to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return file

    def read(self) -> FolderReading:
        return read_folder(self.path)

    def problems(self) -> list[str]:
        return [str(problem).replace(f"{self.path.parent}/", "") for problem in self.read().problems]

    def workloads(self) -> list[str]:
        return [declared.value.key.id for declared in self.read().reading.workloads]
