"""A condition: one thing that is true, false or unknown of an object, and why. When it became so is added where it is written down."""

from dataclasses import dataclass
from enum import StrEnum


class ConditionStatus(StrEnum):
    """Whether a condition holds, in Kubernetes' own words."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition. `reason` is one CamelCase word that never changes, `message` a sentence for people with the way out."""

    type: str
    status: ConditionStatus
    reason: str
    message: str
