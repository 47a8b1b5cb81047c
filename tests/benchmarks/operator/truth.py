"""Whether the status of an object of the fleet is true."""

from datetime import datetime

from tests.benchmarks.operator.fleet import NOWHERE, SERVICES, Place
from tests.servers.kubernetes_api import Object

Ready = tuple[str, str]


def ready(found: Object) -> Ready:
    """The status and reason of the condition Ready."""
    conditions = found.get("status", {}).get("conditions", ())
    return next(((it["status"], it["reason"]) for it in conditions if it["type"] == "Ready"), ("", ""))


def is_observed(found: Object) -> bool:
    """Whether the status is about the newest spec."""
    return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])


def workload_is_true(found: Object) -> bool:
    """Whether a workload's status is about its newest spec, and says what is so."""
    if found["spec"]["host"] == NOWHERE:
        return is_observed(found) and ready(found) == ("False", "HostNotFound")
    place = Place(number=int(found["metadata"]["name"].rpartition("-")[2]))
    status = found.get("status", {})
    return (
        is_observed(found)
        and ready(found) == (("True", "Running") if place.runs else ("False", "NotRunning"))
        and status["containers"]["total"] == SERVICES
        and status.get("lastDispatch", {}).get("outcome", "") == ("unchanged" if place.is_dispatched else "")
    )


def host_is_true(found: Object, *, since: datetime) -> bool:
    """Whether a host's status is about its newest spec, and says that a pass since then found all well."""
    return is_observed(found) and ready(found)[0] == "True" and last_pass(found) >= since


def last_pass(found: Object) -> datetime:
    """When the last pass was that a host's status tells of."""
    return datetime.fromisoformat(found["status"]["lastPass"]["at"])
