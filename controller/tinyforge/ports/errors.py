"""The errors that may cross a port. A foreign exception stops at its adapter and is chained to one of these."""

from collections.abc import Collection
from enum import StrEnum


class TinyforgeError(Exception):
    """The root of every error that Tinyforge raises on purpose. Its text is for people and holds no secret."""


class EngineReason(StrEnum):
    """Why an engine gave no usable answer: stable words for statuses, metrics and alerts."""

    ANSWER_TOO_LARGE = "AnswerTooLarge"
    ANSWER_UNREADABLE = "AnswerUnreadable"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CONNECT_FAILED = "ConnectFailed"
    HTTP_ERROR = "HTTPError"
    PERMISSION_DENIED = "PermissionDenied"
    SECRET_UNUSABLE = "SecretUnusable"  # noqa: S105 - a reason's name, no secret
    SSH_FAILED = "SSHFailed"
    TIMEOUT = "Timeout"
    TLS_FAILED = "TLSFailed"
    UNSUPPORTED_VERSION = "UnsupportedVersion"


class EngineError(TinyforgeError):
    """An engine gave no usable answer; the whole list counts as failed (rule P4).

    `http_status` is what it answered with, if that is why.
    """

    def __init__(self, reason: EngineReason, message: str, *, http_status: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.http_status = http_status


class IndexUnavailable(TinyforgeError):
    """PostgreSQL gave no usable answer; trying again later may work."""


class IndexRefused(TinyforgeError):
    """PostgreSQL answered, and the answer stays no until somebody acts; the text says how."""


class Fenced(IndexRefused):
    """Another process leads this database: the term is over, and nothing of it was written."""


class MutationRefused(TinyforgeError):
    """An engine was not to be changed now, and nothing was; the text says why, and what to wait for."""


class MutationUnanswered(TinyforgeError):
    """A change of an engine was begun and cut off; whoever comes next has to look whether it is done."""


class RowsMoved(IndexUnavailable):
    """Rows are not what was read any more (rule W7). `ids` names those that are known to have moved; nothing was written."""

    def __init__(self, ids: Collection[str]) -> None:
        super().__init__(f"rows changed since they were read: {', '.join(sorted(ids)[:5]) or 'by another transaction'}")
        self.ids = frozenset(ids)
