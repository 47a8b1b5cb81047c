"""What every log line about one object carries, so that a search for a workload or a host finds it."""

from collections.abc import Mapping

from tinyforge.cluster import ObjectKind, ObjectRef


def fields_of(ref: ObjectRef) -> Mapping[str, str]:
    """Return the fields of a line about an object: `object`, and its `workload` or its `host`."""
    if ref.kind is ObjectKind.WORKLOAD:
        return {"object": str(ref), "workload": f"{ref.namespace}/{ref.name}"}
    return {"object": str(ref), "host": ref.name}
