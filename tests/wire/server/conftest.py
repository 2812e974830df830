"""A real server on the loopback around an engine that does as the test says."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from msgspec.structs import replace

from gateway.config import ApiKeyEntry, Config, Secret, ServerSettings, StateSettings
from gateway.core.conversations import Conversations
from gateway.core.exchange import Envelope, Reply, Streamed, Whole
from gateway.core.keeper import Keeper
from gateway.core.principal import Principal
from gateway.http.app import create_app
from gateway.ids import Ids
from gateway.server import create_server, listen

KEY = "the key of the tests"
FIRST, SECOND = b"data: 1\n\n", b"data: 2\n\n"


class Stream:
    """A stream of two blocks, the second when `gate` opens; knows whether it was closed."""

    def __init__(self, second: bytes) -> None:
        self._second = second
        self.gate = asyncio.Event()
        self.closed = asyncio.Event()
        self._error: Exception | None = None
        self._blocks = self._make()

    async def _make(self) -> AsyncIterator[bytes]:
        yield FIRST
        await self.gate.wait()
        if self._error:
            raise self._error
        yield self._second

    def fail(self, error: Exception) -> None:
        """Raise `error` in the place of the second block."""
        self._error = error
        self.gate.set()

    @property
    def over(self) -> bool:
        return False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._blocks)

    async def aclose(self) -> None:
        self.closed.set()


class ScriptedEngine:
    """Streams when a request says so, else repeats it; `work` comes before every answer."""

    def __init__(self) -> None:
        self.work: Callable[[], Awaitable[None]] | None = None
        self.second = SECOND
        self.streams: list[Stream] = []
        keeper = Keeper(None, retention=1, now=Ids().now)
        self.store_state = keeper.state
        self.conversations = Conversations(keeper, Ids())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None: ...

    async def respond(self, envelope: Envelope, principal: Principal) -> Reply:
        if self.work is not None:
            await self.work()
        if json.loads(envelope.body or b"{}").get("stream"):
            stream = Stream(self.second)
            self.streams.append(stream)
            return Streamed(blocks=stream)
        return Whole(body=envelope.body or b"{}")

    def models(self) -> list[str]:
        return ["fast"]


class Service:
    """A server that runs in the test's own loop."""

    def __init__(self, server: Any, url: str, running: asyncio.Task[None]) -> None:
        self.server = server
        self.stop = server.stop
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.running = running
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(
        self, tls: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection, which is closed at the end of the test if not before."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls)
        self._writers.append(writer)
        return reader, writer

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def ask(self, body: bytes, **headers: str) -> Exchange:
        """Send a create over a connection of its own."""
        reader, writer = await self.connect()
        said = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        writer.write(
            b"POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n%b"
            b"content-length: %d\r\n\r\n%b" % (KEY.encode(), said.encode(), len(body), body)
        )
        return Exchange(reader, writer)


class Exchange:
    """A connection on which a request has been sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def until(self, mark: bytes) -> bytes:
        return await self._reader.readuntil(mark)

    async def rest(self) -> bytes:
        """Return what comes until the server closes the connection."""
        return await self._reader.read()

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


Serve = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture(params=["hypercorn", "granian", "uvicorn"])
def server_engine(request: pytest.FixtureRequest) -> str:
    """Return what serves; every test here runs on all of them unless it says otherwise."""
    return request.param


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def config(tmp_path: Path, server_engine: Any) -> Config:
    return Config(
        state=StateSettings(directory=tmp_path, secret=Secret("a secret of the tests")),
        server=ServerSettings(engine=server_engine, port=0, body_limit=100_000),
        api_keys=(ApiKeyEntry(tenant="tests", digest=hashlib.sha256(KEY.encode()).digest()),),
    )


@pytest.fixture
def serve(engine: ScriptedEngine, config: Config) -> Serve:
    """Return a context manager that serves the engine, with changes to the server's settings."""

    @asynccontextmanager
    async def serving(**changes: Any) -> AsyncGenerator[Service]:
        settings = replace(config.server, **changes)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with listen(settings) as listener:
            app = create_app(engine, replace(config, server=settings))
            server = create_server(app, settings, listener)
            async with asyncio.timeout(30), engine, asyncio.TaskGroup() as tasks:
                running = tasks.create_task(server.run(ready.set_result))
                service = Service(server, await ready, running)
                yield service
                if not running.done():
                    server.stop()
                    server.stop()
            await service.close()
        gc.collect()  # what nobody awaited or closed shows now, in the test that left it

    return serving
