"""What a way to an engine offers to the requests that go over it; `unix.py`, `tls.py` and `ssh.py` are the three."""

from typing import Protocol

import aiohttp

from tinyforge.ports import EngineError


class Transport(Protocol):
    """A way to one engine. It owns its connections, and shares nothing with the way to another (rule P6)."""

    @property
    def generation(self) -> int:
        """How often the credentials changed."""
        ...

    async def session(self) -> aiohttp.ClientSession:
        """Return the session to send the next request over, made anew if credentials changed or a tunnel ended.

        Raises:
            EngineError: there is no way, and why.
        """
        ...

    def distrust(self) -> None:
        """Take note that a call failed on the way: whatever may hang is not to be used again."""
        ...

    def failure(self, error: Exception) -> EngineError:
        """Say what an exception of a request over `session` means."""
        ...

    async def close(self) -> None:
        """End all connections; idempotent."""
        ...


def open_session(
    connector: aiohttp.BaseConnector, *, base_url: str, connect_timeout: float, watch: aiohttp.TraceConfig | None = None
) -> aiohttp.ClientSession:
    """Return a session that does what it is told and nothing else.

    It reads no proxy, no certificate and no password from the environment or the home folder, keeps no cookies, and unpacks nothing, so
    that a small answer cannot become a large one. Timeouts other than `connect_timeout` (seconds, name resolution and TLS included) are the
    caller's.
    """
    return aiohttp.ClientSession(
        connector=connector,
        base_url=base_url,
        headers={"Accept-Encoding": "identity", "User-Agent": "tinyforge"},
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_timeout, sock_connect=connect_timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        trace_configs=[watch] if watch else None,
    )
