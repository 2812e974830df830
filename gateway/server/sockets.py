"""The connections that this process has accepted, of which only the kernel has a list. Linux only.

For a server that keeps them to itself and cannot break one off.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

__all__ = ["break_off"]

_DESCRIPTORS = "/proc/self/fd"


def break_off(port: int, client: tuple[str, int] | None = None) -> None:
    """Shut down the connections that were accepted on `port`: of one client, or all of them."""
    for connection in _connections(port):
        host, number = connection.getpeername()[:2]
        if client is None or (host.partition("%")[0], number) == client:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)


def _connections(port: int) -> Iterator[socket.socket]:
    """Yield a duplicate of each, which is closed afterwards."""
    for name in os.listdir(_DESCRIPTORS):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is no connection
            if not os.readlink(f"{_DESCRIPTORS}/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as connection:
                if _was_accepted(connection, port):
                    yield connection


def _was_accepted(connection: socket.socket, port: int) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return connection.getsockname()[1] == port and bool(connection.getpeername())
