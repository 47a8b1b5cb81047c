"""The group and version of the objects, and what of an object's `metadata` Tinyforge looks at.

Everything else that Kubernetes puts there (labels, annotations, uid, managedFields, …) is accepted and ignored, so that the output of
`kubectl get -o yaml` can be read back. One annotation is looked at, and an unusable value of it is no fault of the object.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tinyforge.domain.traces import Traceparent
from tinyforge.objects.fields import Label

GROUP = "tinyforge.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
DEFAULT_NAMESPACE = "default"
TRACEPARENT = "tracing.k8s.io/traceparent"
"""The annotation by which whoever writes an object says where they trace that."""


class Metadata(BaseModel):
    """What the object is called."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[Label, Field(description="The object's name.")]


class NamespacedMetadata(Metadata):
    """What the object is called, and the namespace it is in."""

    namespace: Annotated[Label, Field(description="The object's namespace.")] = DEFAULT_NAMESPACE


def traceparent_of(document: Mapping[str, Any]) -> Traceparent | None:
    """Return where an object, as somebody wrote it, says that it is traced; None if it says nothing, or nothing that could be meant."""
    metadata = document.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    text = annotations.get(TRACEPARENT) if isinstance(annotations, Mapping) else None
    return Traceparent.parse(text) if isinstance(text, str) else None
