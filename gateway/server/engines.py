"""Which library speaks HTTP with the clients, as `server.engine` says."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from gateway.config import ServerSettings
from gateway.errors import ConfigError

__all__ = ["Ready", "Server", "check_engine", "create_server", "needs_worker"]

Ready = Callable[[str], None]
"""Is told the URL once connections are accepted."""

_NEEDED = {
    "hypercorn": ("hypercorn",),
    "granian": ("granian",),
    "uvicorn": ("uvicorn", "httptools"),
}


class Server(Protocol):
    """Serves one application on one listening socket, which it closes, until it is told to stop.

    It sends the application no lifespan: who runs it opens the engine, so that what stops that from
    opening is raised as it is.
    """

    async def run(self, ready: Ready | None = None) -> None:
        """Serve until `stop`. Raises `ConfigError` if the certificate cannot be used."""
        ...

    def stop(self) -> None:
        """Accept nothing new and let running requests finish in time; at once the second time."""
        ...


def check_engine(settings: ServerSettings) -> None:
    """Refuse an engine that is not installed or cannot run here. Raises `ConfigError`."""
    engine = settings.engine
    for package in _NEEDED[engine]:
        if find_spec(package) is None:
            raise ConfigError(
                f"server.engine {engine} needs the package {package}, which is not installed:"
                f" pip install 'responses-gateway[{engine}]'"
            )
    if engine == "granian" and sys.platform != "linux":
        raise ConfigError(
            "server.engine granian is for Linux only, choose hypercorn, which is the default"
        )


def needs_worker(settings: ServerSettings) -> bool:
    """Say whether the process that serves must be one that ends without taking Python down.

    granian's threads may outlive its end by a moment. If the interpreter is taken down in that
    moment, they abort the process. Workers are forked, and such processes end without.
    """
    return settings.engine == "granian"


def create_server(app: Any, settings: ServerSettings, listener: socket.socket) -> Server:
    """Return the server of `settings` for an ASGI application. Raises `ConfigError`."""
    check_engine(settings)
    # Only what runs is imported: the other libraries need not be there.
    return import_module(f"gateway.server.{settings.engine}").create(app, settings, listener)
