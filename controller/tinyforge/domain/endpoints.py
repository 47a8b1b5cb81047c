"""Where a Docker Engine is: the address that `spec.endpoint` of a DockerHost gives, taken apart.

Used by the objects, which refuse a bad address with the text of the error raised here, and by `tinyforge.engine`, which connects to
it. What is accepted is kept narrow on purpose: the parts of an `ssh://` address become arguments of a command, where a leading `-`
would be an option and a `%` or `$` would be expanded.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv6Address
from typing import Self

_ALLOWED = "allowed are unix:///path, tcp://host:port and ssh://user@host[:port][/path/to/docker.sock]"
_LONGEST_SOCKET = 107  # bytes that Linux's sockaddr_un holds beside the closing NUL
_LONGEST_HOST = 253  # characters of a name in DNS (RFC 1035)

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(?P<port>[0-9]{1,5})"
_UNIX = re.compile(r"unix://(?P<path>/.*)", re.DOTALL)
_TCP = re.compile(rf"tcp://{_HOST}:{_PORT}/?")
_SSH = re.compile(rf"ssh://(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@{_HOST}(?::{_PORT})?(?P<path>/[A-Za-z0-9._/-]+)?/?")


class Scheme(StrEnum):
    """How an engine is reached."""

    UNIX = "unix"
    TCP = "tcp"
    SSH = "ssh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of a Docker Engine.

    `path` is the engine's socket, here for unix and on the other machine for ssh; `host` (an IPv6 address without its brackets) and
    `port` are set for tcp and ssh, `user` for ssh.
    """

    scheme: Scheme
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an address apart; port 22 and `/var/run/docker.sock` are what `ssh://` leaves out.

        Raises:
            ValueError: it is none of the three forms; the text names the value and what is allowed.
        """
        if match := _UNIX.fullmatch(text):
            return cls(scheme=Scheme.UNIX, path=_socket(text, match["path"]))
        if match := _TCP.fullmatch(text):
            return cls(scheme=Scheme.TCP, host=_host(text, match["host"]), port=_port(text, match["port"]))
        if match := _SSH.fullmatch(text):
            return cls(
                scheme=Scheme.SSH,
                path=_socket(text, match["path"] or "/var/run/docker.sock"),
                host=_host(text, match["host"]),
                port=_port(text, match["port"] or "22"),
                user=match["user"],
            )
        raise ValueError(f"{_shown(text)} is no address of a Docker Engine; {_ALLOWED}")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        match self.scheme:
            case Scheme.UNIX:
                return f"unix://{self.path}"
            case Scheme.TCP:
                return f"tcp://{host}:{self.port}"
            case Scheme.SSH:
                return f"ssh://{self.user}@{host}:{self.port}{self.path}"


def _socket(text: str, path: str) -> str:
    if not path.isprintable() or path.endswith("/"):
        raise ValueError(f"{_shown(text)} names no socket; give its whole path, as in unix:///var/run/docker.sock")
    if len(path.encode()) > _LONGEST_SOCKET:
        raise ValueError(f"{_shown(text)} is too long; a socket's path has at most {_LONGEST_SOCKET} bytes")
    return path


def _host(text: str, host: str) -> str:
    if len(host) > _LONGEST_HOST:
        raise ValueError(f"{_shown(text)} is too long; a host name has at most {_LONGEST_HOST} characters")
    if not host.startswith("["):
        return host
    try:
        return str(IPv6Address(host[1:-1]))
    except AddressValueError as error:
        raise ValueError(f"{_shown(text)} has no valid IPv6 address between its brackets; {_ALLOWED}") from error


def _port(text: str, port: str) -> int:
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"{_shown(text)} has the port {port}; allowed are 1 to 65535")
    return int(port)


def _shown(text: str) -> str:
    """Return `text` for a message: printable, short, and without a password that somebody wrote before an `@`."""
    return ascii(re.sub(r"//.*:.*@", "//***@", text, flags=re.DOTALL)[:200])
