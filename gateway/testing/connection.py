"""One connection of the scripted upstream: plays answers, and notices when the client leaves."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from gateway.testing.script import Fault, Framing, Script, Step

__all__ = ["Connection", "Received", "Server"]

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time: unsent bytes are dropped


class Received(Struct, frozen=True, kw_only=True):
    """A request as it reached the server; header names are in lower case, `path` is as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return what the body says."""
        return msgspec.json.decode(self.body)


class Server(Protocol):
    """What a connection wants of its server."""

    def opened(self, connection: Connection, /) -> None: ...
    def closed(self, connection: Connection, /) -> None: ...
    def answer(self, received: Received, /) -> Script: ...
    def departed(self, received: Received, /) -> None: ...


class Connection(asyncio.Protocol):
    """Reads requests and plays the server's answers to them, one after the other."""

    def __init__(self, server: Server, tasks: asyncio.TaskGroup) -> None:
        self._server = server
        self._tasks = tasks
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._answering: Received | None = None

    def abort(self) -> None:
        """End the connection from our side."""
        self._answering = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.opened(self)
        self._task = self._tasks.create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._news.set()

    def eof_received(self) -> None:
        self._client_left()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client_left()
        self._server.closed(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _client_left(self) -> None:
        if self._answering is not None:
            self._server.departed(self._answering)
            self._answering = None
        self._task.cancel()

    async def _serve(self) -> None:
        goes_on = True
        try:
            while goes_on:
                self._answering = received = await self._receive()
                goes_on = await self._play(self._server.answer(received))
                self._answering = None
        finally:
            self._transport.close()

    async def _receive(self) -> Received:
        lines = (await self._until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        fields = (line.partition(":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in fields}
        parts = urlsplit(target)
        return Received(
            method=method,
            path=parts.path,
            query=parts.query,
            headers=headers,
            body=await self._exactly(int(headers.get("content-length", 0))),
        )

    async def _until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            await self._more()
        return (await self._exactly(end + len(mark)))[:end]

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _play(self, script: Script) -> bool:
        """Send one answer; say whether the connection may serve another."""
        framing = script.framing or _framing(script.body)
        chunked = framing == "chunked"
        if not await self._perform(script.before, chunked=False):
            return False
        await self._write(_head(script, framing))
        if not await self._perform(script.body, chunked=chunked):
            return False
        if chunked:
            await self._write(b"0\r\n\r\n")
        return not script.close and framing != "until_close"

    async def _perform(self, steps: Iterable[Step], *, chunked: bool) -> bool:
        for step in steps:
            match step:
                case bytes():
                    await self._write(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
                case asyncio.Event():
                    await step.wait()
                case Fault.STALL:
                    await asyncio.Event().wait()
                case Fault():
                    self._break(step)
                    return False
                case _:
                    await asyncio.sleep(step)
        return True

    def _break(self, fault: Fault) -> None:
        self._answering = None
        if fault is Fault.RESET:
            connected: socket.socket = self._transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()

    async def _write(self, data: bytes) -> None:
        self._transport.write(data)
        await self._writable.wait()


def _framing(body: Iterable[Step]) -> Framing:
    return "length" if all(isinstance(step, bytes) for step in body) else "chunked"


def _head(script: Script, framing: Framing) -> bytes:
    phrases = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {script.status} {phrases.get(script.status, 'Unknown')}"]
    headers = dict(script.headers)
    if framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif framing == "length":
        length = sum(len(step) for step in script.body if isinstance(step, bytes))
        headers.setdefault("content-length", str(length))
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
