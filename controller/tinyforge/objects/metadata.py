"""The group and version of the objects, and what of an object's `metadata` Tinyforge looks at.

Everything else that Kubernetes puts there (labels, annotations, uid, managedFields, …) is accepted and ignored, so that the output of
`kubectl get -o yaml` can be read back.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tinyforge.objects.fields import Label

GROUP = "tinyforge.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
DEFAULT_NAMESPACE = "default"


class Metadata(BaseModel):
    """What the object is called."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[Label, Field(description="The object's name.")]


class NamespacedMetadata(Metadata):
    """What the object is called, and the namespace it is in."""

    namespace: Annotated[Label, Field(description="The object's namespace.")] = DEFAULT_NAMESPACE
