"""The way to an engine over TCP: always with TLS and always verified, and there is no switch for anything less.

The engine has to show a certificate of the Secret's CA for the very name or address in the endpoint, and gets to see ours. No variable of
the environment adds a CA or a proxy.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from tinyforge.domain.endpoints import Endpoint
from tinyforge.engine.faults import engine_error, tls_error
from tinyforge.engine.secrets import Credentials, SecretFolder, unusable
from tinyforge.engine.texts import printable
from tinyforge.engine.transport import open_session
from tinyforge.ports import EngineError, EngineReason


class TlsTransport:
    """A `Transport` to the engine at `endpoint`, with the credentials of the Secret `name`."""

    def __init__(self, endpoint: Endpoint, *, secrets: Path | None, name: str, connect_timeout: float) -> None:
        self._url = f"https{str(endpoint).removeprefix('tcp')}"
        self._name = name
        self._secret = SecretFolder(secrets, name, keys=("ca.crt", "tls.crt", "tls.key"), declared_by="spec.tls.secretRef.name")
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None
        self._certificate = b""
        self._believed = False
        self._opened_with = -1  # the generation of the credentials

    @property
    def generation(self) -> int:
        """How often the credentials changed."""
        return self._secret.generation

    async def session(self) -> aiohttp.ClientSession:
        """Return the session, made anew if the Secret's files changed.

        Raises:
            EngineError: the Secret cannot be used.
        """
        credentials = self._secret.read()
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
        watch.on_request_end.append(self._believe)
        self._certificate = credentials.files["tls.crt"]
        self._opened_with = credentials.generation
        self._believed = False
        return open_session(connector, base_url=self._url, connect_timeout=self._connect_timeout, watch=watch)

    def distrust(self) -> None:
        """Take note that the engine may have changed its mind about our certificate."""
        self._believed = False

    def failure(self, error: Exception) -> EngineError:
        """Say what is wrong with the connection, the engine's certificate or ours."""
        alert = tls_error(error)
        if not (_is_about_ours(alert) if alert else self._shut_out_by(error)):
            return engine_error(error)
        ours = f"our certificate tls.crt of the Secret {self._name!r}"
        ended = _end_of(self._certificate)
        if ended < datetime.now(UTC):
            why = f"the engine refuses {ours}, which was valid until {ended:%Y-%m-%d %H:%M} UTC"
            return EngineError(EngineReason.CERTIFICATE_EXPIRED, why)
        if alert:
            return EngineError(EngineReason.TLS_FAILED, f"the engine refuses {ours}: {printable(str(alert))}")
        return EngineError(EngineReason.TLS_FAILED, f"the engine ended the connection after the handshake: does it believe {ours}?")

    def _shut_out_by(self, error: Exception) -> bool:
        """Whether the engine ended a connection before it ever answered over one.

        In TLS 1.3 it refuses our certificate after the handshake, when the request may be on its way already; then its alert gets lost.
        """
        ended = isinstance(error, aiohttp.ClientConnectionError) and not isinstance(error, aiohttp.ClientConnectorError | TimeoutError)
        return ended and not self._believed

    async def _believe(self, *_: object) -> None:
        self._believed = True

    async def close(self) -> None:
        """End all connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def client_context(credentials: Credentials) -> ssl.SSLContext:
    """Return the one way TLS is done: 1.2 or newer, the name checked, only the Secret's CA believed, our certificate shown.

    Raises:
        EngineError: a file is not what its name says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate and its name from the start
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=credentials.files["ca.crt"].decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise unusable(f"the Secret's file {credentials.folder / 'ca.crt'} holds no PEM certificates") from error
    certificate, key = credentials.folder / "tls.crt", credentials.folder / "tls.key"
    try:
        context.load_cert_chain(certificate, key, password="")  # without one given, OpenSSL asks on the terminal
    except (ssl.SSLError, OSError) as error:
        raise unusable(
            f"the Secret's files {certificate} and {key} are no PEM certificate and its unencrypted key: {printable(str(error))}"
        ) from error
    return context


def _is_about_ours(error: ssl.SSLError) -> bool:
    """Whether the other side sent an alert about the certificate that it was shown; TLS 1.3 does so after the handshake."""
    reason = error.reason or ""
    return "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason)


def _end_of(certificate: bytes) -> datetime:
    """Return when a PEM certificate ends; of a chain, its first."""
    from cryptography import x509  # noqa: PLC0415 - 9 MiB that nobody needs until a certificate is refused

    return x509.load_pem_x509_certificates(certificate)[0].not_valid_after_utc
