"""A real HTTP server on the loopback that answers as its script says, faults included.

    script = event_stream(b"data: 1\\n\\n", gate, Fault.CUT)
    async with ScriptedUpstream(script) as upstream:
        ...                                # call upstream.url
        upstream.requests[0].json()        # what reached it
        await upstream.disconnected()      # until a client has left in the middle of an answer

It speaks HTTP/1.1 with keep-alive on a socket, so its caller may live in the same event loop or in
another process.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self

from gateway.testing.connection import Connection, Received
from gateway.testing.script import Script, json_answer

__all__ = ["Handler", "Received", "ScriptedUpstream", "deaf_port"]

Handler = Callable[[Received], Script]


class ScriptedUpstream:
    """Answers each request with the next of its `scripts`, or as the handler of its path says.

    A request for which there is neither gets a 500 that says so. `connections` counts those ever
    made, `requests` is what came, in order.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._scripts = deque(scripts)
        self._handlers: dict[str, Handler] = {}
        self._tls = tls
        self._url = ""
        self._open: set[Connection] = set()
        self._all_closed = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._arrivals: asyncio.Queue[Received] = asyncio.Queue()
        self._departures: asyncio.Queue[Received] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self, self._tasks), "127.0.0.1", 0, ssl=self._tls
        )
        port = self._server.sockets[0].getsockname()[1]
        self._url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for connection in tuple(self._open):
            connection.abort()
        await self._tasks.__aexit__(None, None, None)
        if self._open:
            await self._all_closed.wait()

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return self._url

    def add(self, *scripts: Script) -> None:
        """Queue answers for the requests to come."""
        self._scripts.extend(scripts)

    def handle(self, path: str, handler: Handler) -> None:
        """Answer requests to `path`, whatever their query, as `handler` says."""
        self._handlers[path] = handler

    def forget(self) -> None:
        """Forget what came and what was to be answered: one server can serve many tests."""
        self.requests.clear()
        self._scripts.clear()
        self._handlers.clear()
        self._arrivals = asyncio.Queue()
        self._departures = asyncio.Queue()

    async def received(self) -> Received:
        """Wait for the next request that has not been waited for."""
        return await self._arrivals.get()

    async def disconnected(self) -> Received:
        """Wait until a client leaves before its answer is complete; return what it had asked.

        Each departure is told once, also if it came before the wait.
        """
        return await self._departures.get()

    def opened(self, connection: Connection, /) -> None:
        self.connections += 1
        self._open.add(connection)
        self._all_closed.clear()

    def closed(self, connection: Connection, /) -> None:
        self._open.discard(connection)
        if not self._open:
            self._all_closed.set()

    def answer(self, received: Received, /) -> Script:
        self.requests.append(received)
        self._arrivals.put_nowait(received)
        if handler := self._handlers.get(received.path):
            return handler(received)
        if self._scripts:
            return self._scripts.popleft()
        complaint = f"the script has no answer for {received.method} {received.path}"
        return json_answer({"error": {"message": complaint}}, status=500)

    def departed(self, received: Received, /) -> None:
        self._departures.put_nowait(received)


@contextmanager
def deaf_port() -> Generator[str]:
    """Yield the address of a port where connections are neither taken nor refused.

    Its queue of connections that wait to be taken is full, so the kernel drops the next attempt.
    """
    with socket.socket() as listening, socket.socket() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting.connect(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}"
