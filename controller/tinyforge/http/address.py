"""Where the HTTP port is, as a person writes it. The settings read it, and `listening` listens there."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Self

SETTING = "TINYFORGE_HTTP_ADDRESS"
"""The setting that holds it, for messages."""

_ADDRESS = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])?:(?P<port>[0-9]{1,5})")
_ALLOWED = "allowed are :8080 for all addresses of this machine, or one of them, such as 127.0.0.1:8080 or [::1]:8080"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An address to listen on.

    Args:
        host: an IP address of this machine, or empty for all of them.
        port: a TCP port; 0 takes any that is free.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an address apart. A name is none: which of its addresses would be meant?

        Raises:
            ValueError: it is none; the text says what is allowed, and is to be read after the value.
        """
        match = _ADDRESS.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"is no address to listen on; {_ALLOWED}")
        if int(match["port"]) > 65535:
            raise ValueError("has a port that is none; allowed are 1 to 65535, and 0 for any that is free")
        return cls(host=_host(match), port=int(match["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _host(match: re.Match[str]) -> str:
    try:
        if match["v4"]:
            return str(IPv4Address(match["v4"]))
        return str(IPv6Address(match["v6"])) if match["v6"] else ""
    except AddressValueError as error:
        raise ValueError(f"has no IP address before its port; {_ALLOWED}") from error
