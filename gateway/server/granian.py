"""Connections, by granian, which keeps them in a thread of its own, in Rust. Linux only.

It speaks HTTP/1.1 here and no HTTP/2, where it does not tell an application that its client has
left.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server as EmbeddedServer

from gateway.config import ServerSettings
from gateway.server.crowd import Crowd, see_off
from gateway.server.engines import Ready, Server
from gateway.server.limits import BACKLOG, CLOSING_SECONDS, HEAD_BYTES, IDLE_SECONDS
from gateway.server.listening import certificate_of, url_of
from gateway.server.sockets import break_off

__all__ = ["GranianServer", "create"]

_CONNECTIONS = 1_000_000  # as many as the process may have files; granian would stop at BACKLOG

_log = logging.getLogger("gateway.server")


def create(app: Any, settings: ServerSettings, listener: socket.socket) -> Server:
    """Return the server, of which `gateway.server.engines` knows no more than this function."""
    return GranianServer(app, settings, listener)


class GranianServer:
    """Runs an embedded granian on our socket, and ends the connections that it leaves open.

    granian stops when the last client has read all and left, however long that takes, and ends a
    stream that is broken off as if it were complete. So their sockets are shut down below it.
    """

    def __init__(self, app: Any, settings: ServerSettings, listener: socket.socket) -> None:
        self._requests = Crowd[asyncio.Task[Any]]()
        self._app = app
        self._settings = settings
        self._listener = listener
        self._port: int = listener.getsockname()[1]
        self._url = url_of(settings, listener)
        self._stopping = asyncio.Event()

    async def run(self, ready: Ready | None = None) -> None:
        """Serve until `stop`. Raises `ConfigError` if the certificate cannot be used."""
        granian = _Granian(self._answer, self._listener, *certificate_of(self._settings))
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(granian.serve())
            if ready is not None:
                ready(self._url)
            try:
                await self._stopping.wait()
            finally:
                granian.stop()
            await self._requests.gone_within(self._settings.drain_seconds)
            if not self._requests:
                await asyncio.wait([serving], timeout=CLOSING_SECONDS)
            self._cut()
            await see_off(self._requests)
            await asyncio.wait([serving], timeout=CLOSING_SECONDS)
            serving.cancel()  # it would wait on, were there a connection that does not end

    def stop(self) -> None:
        """Accept nothing new and let running requests finish in time; at once the second time."""
        if self._stopping.is_set():
            self._cut()
        self._stopping.set()

    def _cut(self) -> None:
        """End all connections, of which their requests learn as of clients that leave."""
        if running := len(self._requests):
            _log.warning("cutting off %d requests that are still running", running)
        break_off(self._port)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        request = cast("asyncio.Task[Any]", asyncio.current_task())
        self._requests.add(request)
        scope["state"] = {"ready": True}
        try:
            with _Answer(send, self._port, scope["client"]) as answer:
                await self._app(scope, receive, answer.send)
        finally:
            self._requests.discard(request)


class _Answer:
    """One answer. An error of the application is logged, and breaks off what it has begun."""

    __slots__ = ("_client", "_complete", "_port", "_send")

    def __init__(self, send: Any, port: int, client: tuple[str, str]) -> None:
        self._send = send
        self._port = port
        self._client = client
        self._complete = False

    def send(self, message: Any) -> Awaitable[None]:
        self._complete = not message.get("more_body") and "body" in message
        return self._send(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is not None and not self._complete:
            host, port = self._client
            break_off(self._port, (host, int(port)))
        if not isinstance(error, Exception):
            return False
        # granian would log less: no group's errors, no notes.
        _log.error("the application failed", exc_info=error)
        return True


class _Granian(EmbeddedServer):
    """granian on a socket that is there already, without signals, lifespan and words on stdout."""

    def __init__(
        self, app: Any, listener: socket.socket, certificate: str | None, key: str | None
    ) -> None:
        self._given = listener
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=_CONNECTIONS,
            http1_settings=HTTP1Settings(
                header_read_timeout=round(IDLE_SECONDS * 1000), max_buffer_size=HEAD_BYTES
            ),
            # Else it would do away with the handlers of other loggers.
            log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
            log_level=LogLevels.error,
            ssl_cert=Path(certificate) if certificate else None,
            ssl_key=Path(key) if key else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )

    def _init_shared_socket(self) -> None:
        arguments = self._given.detach(), False, BACKLOG  # it closes what it is given
        self._shd = SocketHolder(*arguments)  # pyright: ignore[reportCallIssue]  # its stub is empty
