"""Listening sockets. `serving` opens one at the start, so that an address that cannot be had ends the process there and then."""

import errno
import os
import socket

from tinyforge.http.address import SETTING, ListenAddress
from tinyforge.http.bounds import UNREAD_BYTES
from tinyforge.ports import TinyforgeError


class AddressUnusable(TinyforgeError):
    """The address of the HTTP port cannot be listened on; the text names the setting, the address, and the way out."""


def listen(address: ListenAddress) -> socket.socket:
    """Listen on an address; without a host that is every address of this machine, IPv6 included where the kernel has it.

    Raises:
        AddressUnusable: somebody else has it, or this machine or this user cannot.
    """
    dual = not address.host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, dualstack_ipv6=dual)
    except OSError as error:
        raise AddressUnusable(f"{SETTING}: cannot listen on {address}: {_way_out(error.errno or 0)}") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)  # for each of its connections
    return listener


def listened_on(listener: socket.socket, address: ListenAddress) -> ListenAddress:
    """Return what `address` became: with the port that was taken, if any would do."""
    return ListenAddress(host=address.host, port=listener.getsockname()[1])


def _way_out(code: int) -> str:
    match code:
        case errno.EADDRINUSE:
            return "another process listens there; end it, or set another port"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return "this machine has no such address; set one of its own, or none for all of them, as in :8080"
        case errno.EACCES:
            return "this user may not have that port; set one above 1023"
        case _:
            return os.strerror(code)
