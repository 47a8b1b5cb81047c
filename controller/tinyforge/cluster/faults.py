"""What goes wrong on the way to the API server, in Tinyforge's own words: here httpx's and lightkube's exceptions become ours."""

from collections.abc import Mapping

import httpx2
import msgspec

from tinyforge.cluster.errors import ClusterRefused, ClusterUnavailable
from tinyforge.domain.texts import printable

_LENGTH = 512  # characters of a foreign text that a message shows
_TOO_MANY_REQUESTS = 429


class _Complaint(msgspec.Struct):
    """What of a `Status` object says why a request was refused."""

    message: str = ""


def unanswered(error: Exception) -> ClusterUnavailable:
    """Return the error for a request that was not answered; the caller chains the two."""
    match error:
        case httpx2.ConnectTimeout():
            return ClusterUnavailable("the API server did not accept a connection in time")
        case httpx2.ConnectError():
            return ClusterUnavailable(f"no connection to the API server: {_words(error)}")
        case httpx2.PoolTimeout():
            return ClusterUnavailable("too many requests to the API server are under way")
        case httpx2.TimeoutException() | TimeoutError():
            return ClusterUnavailable("the API server did not answer in time", maybe_done=True)
        case httpx2.HTTPError():
            return ClusterUnavailable(f"the connection ended before the API server answered: {_words(error)}", maybe_done=True)
        case _:
            return ClusterUnavailable(f"logging in to the cluster failed: {_words(error)}")


def unsuccessful(status: int, headers: Mapping[str, str], body: bytes) -> ClusterUnavailable | ClusterRefused:
    """Return the error for an answer that is no success; its text is the API server's own."""
    message = _complaint(body) or f"the API server answered with HTTP status {status}"
    if status == _TOO_MANY_REQUESTS or status >= 500:
        return ClusterUnavailable(message, status=status, retry_after=_retry_after(headers), maybe_done=status != _TOO_MANY_REQUESTS)
    return ClusterRefused(status, message)


def unreadable(status: int) -> ClusterUnavailable:
    """Return the error for a success of another shape than the API server's; what it says is left out, since it may be a secret."""
    return ClusterUnavailable("what answered is no API server: its answer has another shape", status=status, maybe_done=True)


def _complaint(body: bytes) -> str:
    try:
        return printable(msgspec.json.decode(body, type=_Complaint).message, _LENGTH)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return printable(body[: 4 * _LENGTH].decode(errors="replace"), _LENGTH)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return what `Retry-After` asks for, if it is a number of seconds, as the API server writes it."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None


def _words(error: Exception) -> str:
    return printable(str(error), _LENGTH) or type(error).__name__
