"""The way to an engine over TCP: always with TLS and always verified, and there is no switch for anything less.

The engine has to show a certificate of the Secret's CA for the very name or address in the endpoint, and gets to see ours. No variable of
the environment adds a CA or a proxy.
"""

import aiohttp

from tinyforge.domain.endpoints import Endpoint
from tinyforge.engine.credentials import Credentials
from tinyforge.engine.faults import engine_error
from tinyforge.engine.tls_context import client_context, tls_secret
from tinyforge.engine.tls_faults import TlsFaults
from tinyforge.engine.transport import open_session
from tinyforge.ports import EngineError, Secrets


class TlsTransport:
    """A `Transport` to the engine at `endpoint`, with the credentials of the Secret `name`."""

    def __init__(self, endpoint: Endpoint, *, secrets: Secrets, name: str, connect_timeout: float) -> None:
        self._url = f"https{str(endpoint).removeprefix('tcp')}"
        self._secret = tls_secret(secrets, name)
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None
        self._faults: TlsFaults | None = None
        self._answered = False
        self._opened_with = -1  # the generation of the credentials

    @property
    def generation(self) -> int:
        """How often the credentials changed."""
        return self._secret.generation

    async def session(self) -> aiohttp.ClientSession:
        """Return the session, made anew if the Secret changed.

        Raises:
            EngineError: the Secret cannot be used.
        """
        credentials = await self._secret.read()
        if self._session is None or self._opened_with != credentials.generation:
            previous, self._session = self._session, self._open(credentials)
            if previous is not None:
                await previous.close()
        return self._session

    def _open(self, credentials: Credentials) -> aiohttp.ClientSession:
        # Names are resolved by aiodns, which aiohttp prefers where it is installed, and not in the loop's thread pool, which one slow name
        # server could fill for everybody (rule P6).
        connector = aiohttp.TCPConnector(ssl=client_context(credentials), limit=0)
        watch = aiohttp.TraceConfig()
        watch.on_request_end.append(self._note_answer)
        self._faults = TlsFaults(credentials)
        self._opened_with = credentials.generation
        self._answered = False
        return open_session(connector, base_url=self._url, connect_timeout=self._connect_timeout, watch=watch)

    def distrust(self) -> None:
        """Take note that the engine may have changed its mind about our certificate."""
        self._answered = False

    def failure(self, error: Exception) -> EngineError:
        """Say what is wrong with the connection, the engine's certificate or ours."""
        return self._faults.explain(error, answered=self._answered) if self._faults else engine_error(error)

    async def _note_answer(self, *_: object) -> None:
        self._answered = True

    async def close(self) -> None:
        """End all connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
