"""Certificate authorities for the tests, and what they issue: files for an engine, Secrets for us, and users of the API server.

Used by `tests.servers.kubernetes`, and by all tests whose engine is behind TLS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
VALID = 20 * DAY


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, passphrase: bytes = b"") -> bytes:
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of its own."""

    root: Certificate

    @classmethod
    def make(cls, name: str, *, valid_for: timedelta = 30 * DAY) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            _builder(name, name, key, ends=datetime.now(UTC) + valid_for)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(Certificate(builder.sign(key, hashes.SHA256()), key))

    def issue(self, usage: x509.ObjectIdentifier, *, address: str = "127.0.0.1", valid_for: timedelta = VALID) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address)), x509.DNSName("localhost")])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root.key.public_key())
        builder = (
            _builder("leaf", self.root.certificate.subject.rfc4514_string().removeprefix("CN="), key, ends=datetime.now(UTC) + valid_for)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(issuer, critical=False)
        )
        return Certificate(builder.sign(self.root.key, hashes.SHA256()), key)

    def server(self, folder: Path, *, address: str = "127.0.0.1", valid_for: timedelta = VALID) -> Path:
        """Write what dockerd needs into a new folder, under Docker's names."""
        issued = self.issue(ExtendedKeyUsageOID.SERVER_AUTH, address=address, valid_for=valid_for)
        folder.mkdir()
        (folder / "ca.pem").write_bytes(self.root.pem)
        (folder / "cert.pem").write_bytes(issued.pem)
        (folder / "key.pem").write_bytes(issued.key_pem())
        return folder

    def client(self, *, valid_for: timedelta = VALID) -> Certificate:
        return self.issue(ExtendedKeyUsageOID.CLIENT_AUTH, valid_for=valid_for)


def write_secret(folder: Path, authority: Authority, client: Certificate) -> None:
    """Write a Secret that believes `authority` and shows `client`."""
    folder.mkdir(exist_ok=True)
    (folder / "ca.crt").write_bytes(authority.root.pem)
    (folder / "tls.crt").write_bytes(client.pem)
    (folder / "tls.key").write_bytes(client.key_pem())


def user_certificate(authority: Authority, name: str, groups: Sequence[str]) -> Certificate:
    """Issue what Kubernetes takes as a user: the common name is theirs, and every organization a group."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        issuer_name=authority.root.certificate.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + VALID,
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return Certificate(builder.sign(authority.root.key, hashes.SHA256()), key)


def _builder(name: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, ends: datetime) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=datetime.now(UTC) - 40 * DAY,
        not_valid_after=ends,
    )
