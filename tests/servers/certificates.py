"""Certificates of the users of the tests' API server, who are who their certificate says.

Used by `tests.servers.kubernetes`. The authority is of the same kind as the tests of the engine adapter have.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.engine.certificates import Authority, Certificate

VALID = timedelta(days=20)


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
