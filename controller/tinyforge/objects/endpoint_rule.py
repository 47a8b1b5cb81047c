"""What the API server can check of an endpoint by itself: the forms that `tinyforge.domain.endpoints` takes apart, as one expression.

It lets pass a little more than that module does (a made-up IPv6 address, a path of more bytes than characters), never less; what it lets
pass and Python refuses becomes a condition of the host.
"""

from typing import Any

_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"({_LABEL}(\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])"
_PORT = "0{0,4}([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"  # 1 to 65535
_UNIX = r"unix:///[^\x00-\x1f\x7f]{0,105}[^/\x00-\x1f\x7f]"  # a socket's path has at most 107 bytes
_TCP = f"tcp://{_HOST}:{_PORT}/?"
_SSH = f"ssh://[A-Za-z0-9_][A-Za-z0-9._-]*@{_HOST}(:{_PORT})?(/[A-Za-z0-9._/-]{{0,105}}[A-Za-z0-9._-]|/)?"

ENDPOINT = f"^({_UNIX}|{_TCP}|{_SSH})$"
"""An expression that RE2 and Python's `re` understand alike."""

ENDPOINT_RULE: dict[str, Any] = {
    "x-kubernetes-validations": [
        {
            "rule": f'self.matches(r"{ENDPOINT}")',
            "message": "allowed are unix:///path, tcp://host:port and ssh://user@host[:port][/path/to/docker.sock]",
        }
    ]
}
"""A rule without the value in its message, for somebody may have written a password into it."""
