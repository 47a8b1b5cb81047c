"""What can be wrong with the protocol on purpose: each of these must be found by the machine."""

from enum import Enum


class Flaw(Enum):
    """One departure from the protocol; its value says what is left out or done wrong."""

    NO_SHARED_LOCK = "the fence looks at the row without the lock that a claim takes alone"
    STABLE_FENCE = "the fence is STABLE: it looks with the snapshot of the statement that called it, older than the lock"
    FENCE_RETURNS_A_ROW = "the fence returns a row instead of raising, so that what is behind it in the pipeline commits"
    NO_REASSERT = "a new connection does not re-assert the claim"
    RELEASE_FROM_MEMORY = "a release takes the resourceVersion from its fresh read, and whose the Lease is from memory (client-go)"
    LOST_ANSWER_IS_SUCCESS = "a write of the Lease that was not answered counts as done"
    UNGUARDED_CLAIM = "the claim takes whatever epoch is there, but the trigger of the row refuses a lower one"
    UNGUARDED_ROW = "the claim takes whatever epoch is there, and the row has no trigger"
    CALL_BEFORE_COMMIT = "a mutation begins before its intent is committed"
