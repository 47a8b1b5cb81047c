"""The way to an engine over ssh: one tunnel a host, from a socket of ours to the engine's, and everything else goes over that socket.

One `ssh` that stays is up in 0.2 s and leaves a list as fast as it is without; one a request would cost 0.3 s each time.
"""

import asyncio

import aiohttp

from tinyforge.domain.endpoints import Endpoint
from tinyforge.engine.credentials import HostSecret
from tinyforge.engine.faults import engine_error
from tinyforge.engine.transport import open_session
from tinyforge.engine.tunnel import Tunnel, open_tunnel
from tinyforge.ports import EngineError, EngineReason, Secrets


class SshTransport:
    """A `Transport` to the engine's socket at `endpoint`, with the credentials of the Secret `name`."""

    def __init__(self, endpoint: Endpoint, *, secrets: Secrets, name: str, connect_timeout: float) -> None:
        self._endpoint = endpoint
        self._secret = HostSecret(secrets, name, keys=("ssh-privatekey", "known_hosts"), declared_by="spec.ssh.secretRef.name")
        self._connect_timeout = connect_timeout
        self._opening = asyncio.Lock()
        self._tunnel: Tunnel | None = None
        self._session: aiohttp.ClientSession | None = None
        self._opened_with = -1  # the generation of the credentials

    @property
    def generation(self) -> int:
        """How often the credentials changed."""
        return self._secret.generation

    async def session(self) -> aiohttp.ClientSession:
        """Return the session over the tunnel, opened anew if it ended or the Secret changed.

        Raises:
            EngineError: the Secret cannot be used, or no tunnel came up.
        """
        async with self._opening:
            credentials = await self._secret.read()
            if self._session is None or self._tunnel is None or self._tunnel.ended or self._opened_with != credentials.generation:
                await self.close()
                self._tunnel = await open_tunnel(self._endpoint, credentials, connect_timeout=self._connect_timeout)
                connector = aiohttp.UnixConnector(str(self._tunnel.socket), limit=0)
                self._session = open_session(connector, base_url="http://docker", connect_timeout=self._connect_timeout)
                self._opened_with = credentials.generation
            return self._session

    def distrust(self) -> None:
        """End the tunnel, which may be what hangs: a frozen ssh would never notice."""
        if self._tunnel is not None:
            self._tunnel.kill()

    def failure(self, error: Exception) -> EngineError:
        """Tell a tunnel that ended from an engine that does not answer behind it."""
        if self._tunnel is None or not isinstance(error, aiohttp.ClientConnectionError) or isinstance(error, TimeoutError):
            return engine_error(error)
        what = "the tunnel ended" if self._tunnel.ended else f"nothing answers behind the tunnel at {self._endpoint.path}"
        return EngineError(EngineReason.CONNECT_FAILED, ": ".join(filter(None, (what, self._tunnel.last_words))))

    async def close(self) -> None:
        """End the connections and the tunnel; idempotent."""
        session, tunnel = self._session, self._tunnel
        self._session = self._tunnel = None
        if session is not None:
            await session.close()
        if tunnel is not None:
            await tunnel.close()
