"""A condition, as every status holds them: Kubernetes' own shape (metav1.Condition), which `kubectl wait` and kstatus understand."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StrictInt

from tinyforge.objects.fields import Part

_BY_TYPE: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}


class Condition(Part):
    """One thing that is true, false or unknown of an object, why, and since when."""

    type: Annotated[str, Field(max_length=316, description="What the condition is about.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="Whether it holds.")]
    reason: Annotated[str, Field(max_length=128, description="Why, in one word that never changes: for scripts and alerts.")]
    message: Annotated[str, Field(max_length=1024, description="Why, in a sentence for people, with the way out.")]
    last_transition_time: Annotated[AwareDatetime, Field(description="When the status last became what it is.")]
    observed_generation: Annotated[StrictInt, Field(ge=0, description="The generation of the spec that this is about.")] = 0


Conditions = Annotated[
    tuple[Condition, ...],
    Field(max_length=16, json_schema_extra=_BY_TYPE, description="What is true of the object, each with its reason and since when."),
]
ObservedGeneration = Annotated[StrictInt, Field(ge=0, description="The generation of the spec that this status is about.")]
TraceID = Annotated[str, Field(alias="traceID", max_length=32, description="The trace that tells more; empty if it left none.")]
