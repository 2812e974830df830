"""Connections, by uvicorn and httptools: HTTP/1.1 only, at less CPU than hypercorn."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.config import ServerSettings
from gateway.server.crowd import Crowd, see_off
from gateway.server.dates import date_header
from gateway.server.engines import Ready, Server
from gateway.server.limits import BACKLOG, CLOSING_SECONDS, HEAD_BYTES, IDLE_SECONDS, TLS_SECONDS
from gateway.server.listening import certificate_of, url_of

__all__ = ["UvicornServer", "create"]

_TOO_LARGE = b"\r\n".join(
    (
        b"HTTP/1.1 431 Request Header Fields Too Large",
        b"content-length: 0",
        b"connection: close",
        b"\r\n",
    )
)

_log = logging.getLogger("gateway.server")


def create(app: Any, settings: ServerSettings, listener: socket.socket) -> Server:
    """Return the server, of which `gateway.server.engines` knows no more than this function."""
    return UvicornServer(app, settings, listener)


class UvicornServer:
    """Takes uvicorn's protocol and runs its connections itself.

    `uvicorn.Server` takes the process's signals, looks ten times a second whether it is to stop,
    and waits for clients that have gone to sleep.
    """

    def __init__(self, app: Any, settings: ServerSettings, listener: socket.socket) -> None:
        self._shared = shared = _Shared()
        self._requests, self._connections = shared.tasks, shared.connections
        self._app = app
        self._settings = settings
        self._listener = listener
        self._url = url_of(settings, listener)
        self._stopping = asyncio.Event()

    async def run(self, ready: Ready | None = None) -> None:
        """Serve until `stop`. Raises `ConfigError` if the certificate cannot be used."""
        tls = _tls(self._settings)
        protocol = partial(_Connection, _uvicorn(self._app), self._shared, {"ready": True})
        loop = asyncio.get_running_loop()
        accepting = await loop.create_server(protocol, sock=self._listener, backlog=BACKLOG, **tls)
        try:
            if ready is not None:
                ready(self._url)
            await self._stopping.wait()
            accepting.close()
            await self._drain()
        finally:
            accepting.close()
            self._cut()
        await self._connections.gone()
        await see_off(self._requests)

    def stop(self) -> None:
        """Accept nothing new and let running requests finish in time; at once the second time."""
        if self._stopping.is_set():
            self._cut()
        self._stopping.set()

    async def _drain(self) -> None:
        for connection in tuple(self._connections):
            connection.shutdown()  # at once if it is idle, else after its request
        await self._requests.gone_within(self._settings.drain_seconds)
        if not self._requests:
            await self._connections.gone_within(CLOSING_SECONDS)

    def _cut(self) -> None:
        """End all connections, of which their requests learn as of clients that leave."""
        if running := len(self._requests):
            _log.warning("cutting off %d requests that are still running", running)
        for connection in tuple(self._connections):
            connection.transport.abort()


class _Shared:
    """What uvicorn's connections share; stands in for its `ServerState`."""

    def __init__(self) -> None:
        self.connections = Crowd[HttpToolsProtocol]()
        self.tasks = Crowd[asyncio.Task[None]]()
        self.total_requests = 0

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return [date_header()]


class _Connection(HttpToolsProtocol):
    """uvicorn's, with what it lacks: limits for the head of a request, for the wait for it, and for
    a body that goes on after its answer.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._patience: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # as uvicorn has it
        super().connection_made(transport)
        self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._rest()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_size += len(data)
            if self._head_size > HEAD_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.close()
            elif self._patience is None:
                self._be_patient()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._rest()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        unread = not self.pipeline and self.cycle.more_body
        super().on_response_complete()
        if unread:
            self.transport.close()

    def _be_patient(self) -> None:
        self._patience = self.loop.call_later(IDLE_SECONDS, self.timeout_keep_alive_handler)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _uvicorn(app: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="error",  # anybody who speaks no HTTP would be worth a warning
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,  # pyright: ignore[reportArgumentType]  # goes to call_later
    )
    config.load()
    return config


def _tls(settings: ServerSettings) -> dict[str, Any]:
    certificate, key = certificate_of(settings)
    if certificate is None:
        return {}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return {
        "ssl": context,
        "ssl_handshake_timeout": TLS_SECONDS,
        "ssl_shutdown_timeout": TLS_SECONDS,
    }
