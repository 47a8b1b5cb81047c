"""What goes wrong between an engine's certificate and ours, in words that name the key of the Secret to look at."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp

from tinyforge.domain.texts import printable
from tinyforge.engine.credentials import Credentials
from tinyforge.engine.faults import engine_error
from tinyforge.ports import EngineError, EngineReason

_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h


class TlsFaults:
    """What failures mean of connections that were made with some credentials; the private key among them is not kept."""

    def __init__(self, credentials: Credentials) -> None:
        self._ca = credentials.content["ca.crt"]
        self._ca_name = credentials.names["ca.crt"]
        self._certificate = credentials.content["tls.crt"]
        self._certificate_name = credentials.names["tls.crt"]

    def explain(self, error: Exception, *, answered: bool) -> EngineError:
        """Say what an exception of a request means; `answered` is whether the engine has ever answered one, the caller chains the two.

        In TLS 1.3 an engine refuses our certificate after the handshake, when the request may be on its way already; then its alert gets
        lost. So a connection that ends before the first answer points there.
        """
        alert = _tls_error(error)
        match alert:
            case ssl.SSLCertVerificationError():
                return self._theirs_is_refused(alert)
            case ssl.SSLError() if _is_about_ours(alert):
                return self._ours_is_refused(alert)
            case ssl.SSLError():
                return EngineError(EngineReason.TLS_FAILED, f"no TLS with the engine: {printable(str(alert)) or type(alert).__name__}")
            case _ if _was_ended(error) and not answered:
                return self._ours_is_refused(None)
            case _:
                return engine_error(error)

    def _theirs_is_refused(self, error: ssl.SSLCertVerificationError) -> EngineError:
        words = f"the engine's certificate is refused: {printable(error.verify_message)}"
        if error.verify_code != _EXPIRED:
            return EngineError(EngineReason.TLS_FAILED, f"{words} (believed is what {self._ca_name} has issued)")
        ends, now = ends_of(self._ca), datetime.now(UTC)
        ended = [end for end in ends if end < now]
        if not ended:
            return EngineError(EngineReason.CERTIFICATE_EXPIRED, f"{words}: renew it where the engine runs")
        if len(ended) < len(ends):
            which = f"the engine's own, or one in {self._ca_name} that was valid until {_moment(max(ended))}"
            return EngineError(EngineReason.CERTIFICATE_EXPIRED, f"{words}: renew it; it is {which}")
        why = f"{self._ca_name} was valid until {_moment(max(ended))}, and so was all that it issued: put its successor there"
        return EngineError(EngineReason.CERTIFICATE_EXPIRED, why)

    def _ours_is_refused(self, alert: ssl.SSLError | None) -> EngineError:
        ours = f"our certificate ({self._certificate_name})"
        end = next(iter(ends_of(self._certificate)), None)
        if end and end < datetime.now(UTC):
            why = f"the engine refuses {ours}, which was valid until {_moment(end)}: renew it"
            return EngineError(EngineReason.CERTIFICATE_EXPIRED, why)
        if alert:
            return EngineError(EngineReason.TLS_FAILED, f"the engine refuses {ours}: {printable(str(alert))}")
        return EngineError(EngineReason.TLS_FAILED, f"the engine ended the connection after the handshake: does it believe {ours}?")


def ends_of(pem: bytes) -> Sequence[datetime]:
    """Return when each of some PEM certificates ends, in their order; nothing if they cannot be read."""
    from cryptography import x509  # noqa: PLC0415 - 9 MiB that nobody needs until a certificate is refused

    try:
        return [certificate.not_valid_after_utc for certificate in x509.load_pem_x509_certificates(pem)]
    except ValueError:
        return ()


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Find the TLS failure behind an exception: itself, the one that aiohttp wrapped, or its cause."""
    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorError):  # looked at first: two of its subclasses are SSLErrors too, empty ones
            error = error.os_error
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__
    return None


def _is_about_ours(error: ssl.SSLError) -> bool:
    """Whether the other side sent an alert about the certificate that it was shown."""
    reason = error.reason or ""
    return "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason)


def _was_ended(error: Exception) -> bool:
    """Whether a connection stood, and ended."""
    return isinstance(error, aiohttp.ClientConnectionError) and not isinstance(error, aiohttp.ClientConnectorError | TimeoutError)


def _moment(end: datetime) -> str:
    return f"{end:%Y-%m-%d %H:%M} UTC"
