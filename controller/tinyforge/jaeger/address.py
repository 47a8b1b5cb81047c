"""Where Jaeger answers, as `TINYFORGE_JAEGER_URL` says it: with a user and a password where a proxy before it asks for them."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

ALLOWED = (
    "allowed: http:// or https://, a host, and where needed user:password@ (special characters percent-encoded), a port and a path, "
    "such as http://127.0.0.1:16686"
)


@dataclass(frozen=True, slots=True)
class JaegerAddress:
    """An address. As text it has no credentials, and neither has its repr."""

    base: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the address without credentials and without a slash at its end."""
        return self.base

    @classmethod
    def parse(cls, text: str) -> "JaegerAddress":
        """Read an address.

        Raises:
            ValueError: it is none; the message says what is allowed, and repeats nothing of it, since a mistyped password may be anywhere.
        """
        parts = _split(text)
        base, user = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}", unquote(parts.username or "")
        if ":" in user:  # where the password begins (RFC 7617, section 2)
            raise ValueError(f"has a user with a colon, which HTTP has no way to send; {ALLOWED}")
        return cls(base=base, user=user, password=unquote(parts.password or ""))


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none; its text may be half of a password
        raise ValueError(f"is no address of Jaeger; {ALLOWED}") from None
    # An `@` behind the host, a `?` or a `#` are what is left of a password that was not percent-encoded.
    if not usable or "@" in parts.path or parts.query or parts.fragment or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"is no address of Jaeger; {ALLOWED}")
    return parts
