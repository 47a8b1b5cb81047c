"""The connections that a request opens. If it is cancelled while one is being secured, httpcore leaves that to the garbage collector."""

from collections.abc import Mapping
from typing import Any

import httpx2


class Opened:
    """The connections that one request opened, told by httpcore's extension `trace`."""

    def __init__(self, request: httpx2.Request) -> None:
        self._streams: list[Any] = []
        request.extensions["trace"] = self._trace

    async def close(self) -> None:
        """Close them, whatever became of them; for a request that is given up."""
        for stream in self._streams:
            await stream.aclose()

    async def _trace(self, event: str, told: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._streams.append(told["return_value"])
