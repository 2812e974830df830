"""Connections, by hypercorn: accepted, served by the application, and ended in time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config as HypercornConfig
from hypercorn.typing import LifespanState

from gateway.config import ServerSettings
from gateway.server.connection import Connection
from gateway.server.crowd import Crowd
from gateway.server.dates import date_header
from gateway.server.engines import Ready, Server
from gateway.server.limits import BACKLOG, CLOSING_SECONDS, HEAD_BYTES, IDLE_SECONDS, TLS_SECONDS
from gateway.server.listening import certificate_of, url_of

__all__ = ["HypercornServer", "create"]

_STATE = {"ready": True}
"""What the application finds on every request: the engine is open."""

_log = logging.getLogger("gateway.server")


def create(app: Any, settings: ServerSettings, listener: socket.socket) -> Server:
    """Return the server, of which `gateway.server.engines` knows no more than this function."""
    return HypercornServer(app, settings, listener)


class HypercornServer:
    """Takes hypercorn's connections and runs them itself.

    `hypercorn.asyncio.serve` cannot end in time: it waits for clients that have gone to sleep or
    ignore the end of TLS, and from Python 3.12 on without any limit.
    """

    def __init__(self, app: Any, settings: ServerSettings, listener: socket.socket) -> None:
        self._requests = Crowd[asyncio.Task[Any]]()
        self._connections = Crowd[Connection]()
        self._app = ASGIWrapper(partial(_counted, self._requests, app))
        self._settings = settings
        self._listener = listener
        self._url = url_of(settings, listener)
        self._stopping = asyncio.Event()
        self._http1, self._http2 = WorkerContext(None), WorkerContext(None)

    async def run(self, ready: Ready | None = None) -> None:
        """Serve until `stop`. Raises `ConfigError` if the certificate cannot be used."""
        hypercorn = _hypercorn(self._settings)
        accepting = await asyncio.start_server(
            partial(self._accept, hypercorn),
            sock=self._listener,
            backlog=BACKLOG,
            **_tls(hypercorn),
        )
        try:
            if ready is not None:
                ready(self._url)
            await self._stopping.wait()
            accepting.close()
            await self._drain()
        finally:
            accepting.close()
            for connection in tuple(self._connections):
                connection.writer.transport.abort()
        await self._connections.gone()

    def stop(self) -> None:
        """Accept nothing new and let running requests finish in time; at once the second time."""
        if self._stopping.is_set():
            self._cut()
        self._stopping.set()

    def _accept(
        self,
        hypercorn: HypercornConfig,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> Coroutine[Any, Any, None]:
        tls = writer.get_extra_info("ssl_object")
        is_http2 = tls is not None and tls.selected_alpn_protocol() == "h2"
        context = self._http2 if is_http2 else self._http1
        loop = asyncio.get_running_loop()
        connection = Connection(
            self._app, loop, hypercorn, context, LifespanState(_STATE), reader, writer
        )
        # Not in the coroutine, which may begin after the last look at who is still connected.
        self._connections.add(connection)
        return self._converse(connection)

    async def _converse(self, connection: Connection) -> None:
        try:
            # A client that does not answer the end of TLS is its own affair.
            with contextlib.suppress(TimeoutError):
                await connection
        finally:
            self._connections.discard(connection)

    async def _drain(self) -> None:
        # From now on connections close when they are idle. Not those of HTTP/2: hypercorn would
        # not send the ends of their last streams.
        await self._retire(self._http1)
        await self._requests.gone_within(self._settings.drain_seconds)
        self._cut()
        await self._retire(self._http2)
        await self._connections.gone_within(CLOSING_SECONDS)

    async def _retire(self, context: WorkerContext) -> None:
        await context.terminated.set()
        for connection in tuple(self._connections):
            if connection.context is context:
                connection.retire()

    def _cut(self) -> None:
        if running := tuple(self._requests):
            _log.warning("cutting off %d requests that are still running", len(running))
        for request in running:
            request.cancel()


async def _counted(
    requests: Crowd[asyncio.Task[Any]], app: Any, scope: Any, receive: Any, send: Any
) -> None:
    request = cast("asyncio.Task[Any]", asyncio.current_task())
    requests.add(request)
    try:
        await app(scope, receive, send)
    finally:
        requests.discard(request)


class _Hypercorn(HypercornConfig):
    """hypercorn's settings; it would write the date anew into each answer."""

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        return [date_header()]


def _hypercorn(settings: ServerSettings) -> HypercornConfig:
    hypercorn = _Hypercorn()
    hypercorn.certfile, hypercorn.keyfile = certificate_of(settings)
    hypercorn.errorlog = logging.getLogger("hypercorn.error")
    hypercorn.h11_max_incomplete_size = HEAD_BYTES
    # With HTTP/2 reaching this number kills the streams that are still running.
    hypercorn.keep_alive_max_requests = sys.maxsize
    hypercorn.keep_alive_timeout = IDLE_SECONDS
    # 0 is unlimited. With a limit, refusing an upload before it is read to its end blocks for ever:
    # the queue is full, and hypercorn waits to put the disconnect into it.
    hypercorn.max_app_queue_size = 0
    return hypercorn


def _tls(hypercorn: HypercornConfig) -> dict[str, Any]:
    if not hypercorn.ssl_enabled:
        return {}
    return {
        "ssl": hypercorn.create_ssl_context(),
        "ssl_handshake_timeout": TLS_SECONDS,
        "ssl_shutdown_timeout": TLS_SECONDS,
    }
