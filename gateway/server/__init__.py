"""The server: the application on a socket, by hypercorn or another, until it is told to stop."""

from gateway.server.engines import Ready, Server, check_engine, create_server
from gateway.server.listening import check_binding, listen
from gateway.server.service import run, serve

__all__ = [
    "Ready",
    "Server",
    "check_binding",
    "check_engine",
    "create_server",
    "listen",
    "run",
    "serve",
]
