"""What goes wrong on the way to an engine, in Tinyforge's own words.

This is where aiohttp's exceptions become `EngineError`. A transport calls `engine_error` after it looked for what only it can explain.
"""

import aiohttp

from tinyforge.domain.texts import printable
from tinyforge.ports import EngineError, EngineReason


class StatusError(EngineError):
    """An engine answered with an HTTP status other than 200."""

    def __init__(self, status: int, complaint: str) -> None:
        super().__init__(
            EngineReason.HTTP_ERROR,
            f"the engine answered with HTTP status {status}" + (f": {complaint}" if complaint else ""),
            http_status=status,
        )


def engine_error(error: Exception) -> EngineError:
    """Return the `EngineError` that says what `error` means for the reader; the caller chains the two."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return EngineError(EngineReason.TIMEOUT, "the engine did not accept a connection in time")
        case aiohttp.ClientConnectorError():
            return EngineError(
                EngineReason.CONNECT_FAILED, f"no connection to the engine: {printable(error.strerror or str(error.os_error))}"
            )
        case aiohttp.ClientConnectionError():
            return EngineError(EngineReason.CONNECT_FAILED, f"the connection ended before the engine answered: {_words(error)}")
        case aiohttp.ClientPayloadError():
            return EngineError(EngineReason.ANSWER_UNREADABLE, "the engine's answer was cut short")
        case _:
            return EngineError(
                EngineReason.ANSWER_UNREADABLE, f"what answered does not speak HTTP as an engine does ({type(error).__name__})"
            )


def _words(error: Exception) -> str:
    return printable(str(error)) or type(error).__name__
