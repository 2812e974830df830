"""The server: the application on a socket, by hypercorn, until it is told to stop."""

from gateway.server.listening import check_binding, listen
from gateway.server.service import run, serve
from gateway.server.serving import Ready, Server

__all__ = ["Ready", "Server", "check_binding", "listen", "run", "serve"]
