"""From a Secret to the one way TLS is done with engines."""

import ssl

from tinyforge.domain.texts import printable
from tinyforge.engine.credentials import Credentials, HostSecret, unusable
from tinyforge.engine.private_files import nameless_file
from tinyforge.ports import Secrets

_ANOTHER_KEY = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")


def tls_secret(secrets: Secrets, name: str) -> HostSecret:
    """Return the Secret of a host that is reached by TLS."""
    return HostSecret(secrets, name, keys=("ca.crt", "tls.crt", "tls.key"), declared_by="spec.tls.secretRef.name")


def client_context(credentials: Credentials) -> ssl.SSLContext:
    """Return what every connection is made with: TLS 1.2 or newer, the name checked, only the Secret's CA believed, our certificate shown.

    Raises:
        EngineError: a key of the Secret is not what its name says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate and its name from the start
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _believe(context, credentials, "ca.crt")
    _believe(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), credentials, "tls.crt")  # what follows does not tell which of two files it means
    _show(context, credentials)
    return context


def _believe(context: ssl.SSLContext, credentials: Credentials, key: str) -> None:
    try:
        with nameless_file(credentials.content[key]) as file:
            context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        raise unusable(f"{credentials.names[key]} holds no PEM certificates, or one that is damaged") from error


def _show(context: ssl.SSLContext, credentials: Credentials) -> None:
    certificate, key = credentials.names["tls.crt"], credentials.names["tls.key"]
    try:
        with nameless_file(credentials.content["tls.crt"]) as certificate_file, nameless_file(credentials.content["tls.key"]) as key_file:
            context.load_cert_chain(certificate_file, key_file, password="")  # without one given, OpenSSL asks on the terminal
    except ssl.SSLError as error:
        if error.reason in _ANOTHER_KEY:
            raise unusable(f"{key} is not the key of {certificate}") from error
        raise unusable(f"{key} is no PEM key that can be used without a passphrase: {printable(str(error))}") from error
