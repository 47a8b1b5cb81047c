"""A folder of manifests: what of it cannot be used, and which of its workloads would be refused."""

from collections.abc import Iterator
from pathlib import Path

from tinyforge.cli.checks.check import Check, fail, ok, warn
from tinyforge.domain.declarations import Reading
from tinyforge.domain.mirror import Mirror, plan_mirror
from tinyforge.standalone.manifests.files import FolderUnreadable
from tinyforge.standalone.manifests.read import FolderReading, read_folder

_SUBJECT = "manifests"


def check_manifests(folder: Path, mirror: Mirror) -> tuple[Reading, list[Check]]:
    """Read a folder over what the mirror holds; return what it declares, and what is wrong with it."""
    try:
        found = read_folder(folder)
    except FolderUnreadable as error:
        return Reading(complete=False), [fail(_SUBJECT, str(error), "name the folder that holds the manifests")]
    return found.reading, list(_faults(folder, found, mirror)) or [ok(_SUBJECT, _contents(folder, found.reading))]


def _faults(folder: Path, found: FolderReading, mirror: Mirror) -> Iterator[Check]:
    for problem in found.problems:
        yield fail(_SUBJECT, str(problem), "correct it; until then what was in force stays in force")
    for refusal in plan_mirror(found.reading, mirror).refusals:
        yield fail(
            _SUBJECT, f"{refusal.origin}: workload {refusal.workload_id} is refused: {refusal.field}: {refusal.full_message}", "correct it"
        )
    if not (found.problems or found.reading.hosts or found.reading.workloads):
        yield warn(_SUBJECT, f"{folder} declares nothing", "add YAML files with DockerHosts and Workloads")


def _contents(folder: Path, reading: Reading) -> str:
    return f"{folder} declares {len(reading.hosts)} hosts and {len(reading.workloads)} workloads"
