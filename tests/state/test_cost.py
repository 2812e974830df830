"""What a long chain costs: the last turn as much as the first, and bytes for new items only."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from msgspec import Struct

from gateway.config import load
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.plugin.manager import Plugins

if TYPE_CHECKING:
    from .conftest import Configure, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

TURNS = 200
LAP = 60  # turns after which the size is taken
SAMPLE = 20  # turns; the least of them counts, for the gateway also does work of its own
WORDS = 8000  # bytes of text in what a user says, and as many in the answer
SSL_REQUEST = 80877103
FLUSHES = b"SHQ"  # after these messages a client of PostgreSQL waits for an answer

Ask = Callable[..., Awaitable[dict[str, Any]]]


class Meter:
    """Counts what the store is asked for."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, *_: object) -> None:
        self.count += 1


class Metered(Struct, frozen=True, kw_only=True):
    """A gateway's state whose `meter` counts round trips; `size` says how many bytes it takes."""

    state: Mapping[str, str]
    meter: Meter
    size: Callable[[], Awaitable[int]]


class Proxy:
    """Stands between PostgreSQL and a client, and counts how often the client waits for it."""

    def __init__(self, port: int, meter: Meter) -> None:
        self._port = port
        self._meter = meter

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, onward = await asyncio.open_connection("127.0.0.1", self._port)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._copy(back, writer))
            tasks.create_task(self._read(reader, onward))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = b""
        while True:
            try:
                head = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(head) - 4)
            except asyncio.IncompleteReadError:
                writer.close()
                return
            if kind in FLUSHES:
                self._meter.add()
            writer.write(kind + head + body)
            if body != SSL_REQUEST.to_bytes(4):
                kind = await reader.read(1)  # only what comes before the first login has none


@asynccontextmanager
async def sqlite(request: pytest.FixtureRequest, directory: Path) -> AsyncGenerator[Metered]:
    meter = Meter()
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(meter.add)
        return connection

    def files() -> list[Path]:
        return list(directory.glob("responses.sqlite*"))

    async def size() -> int:
        return sum(file.stat().st_size for file in files())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", traced)
        state = {"store": "sqlite", "directory": str(directory)}
        yield Metered(state=state, meter=meter, size=size)


@asynccontextmanager
async def postgres(request: pytest.FixtureRequest, directory: Path) -> AsyncGenerator[Metered]:
    meter = Meter()
    url = request.getfixturevalue("postgres").new_database()
    parts = urlsplit(url)
    assert parts.port is not None

    async def size() -> int:
        connection = await asyncpg.connect(url)
        found = await connection.fetchval(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'gateway'::regnamespace"
        )
        await connection.close()
        return int(found)

    server = await asyncio.start_server(Proxy(parts.port, meter).serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        proxied = parts._replace(netloc=f"postgres@127.0.0.1:{port}").geturl()
        state = {"store": "postgres", "directory": str(directory), "url": proxied}
        yield Metered(state=state, meter=meter, size=size)


@pytest_asyncio.fixture(loop_scope="session", params=[sqlite, postgres])
async def metered(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Metered]:
    async with request.param(request, tmp_path) as metered:
        yield metered


@pytest.fixture
def opened(
    configure: Configure, metered: Metered, tmp_path: Path
) -> Callable[[], AbstractAsyncContextManager[Ask]]:
    """Return a context manager that runs an engine in this process, to be asked for responses."""
    file = tmp_path / "gateway.yaml"
    file.write_text(json.dumps(configure(metered.state)))

    @asynccontextmanager
    async def running() -> AsyncGenerator[Ask]:
        async with Engine(load(file, {}), Plugins()) as engine:

            async def ask(**body: Any) -> dict[str, Any]:
                asked = json.dumps({"model": "stella", **body}).encode()
                envelope = Envelope(operation="create", request_id="req_1", body=asked)
                reply = await engine.respond(envelope, Principal(tenant="alpha"))
                assert isinstance(reply, Whole)
                return json.loads(reply.body)

            yield ask

    return running


def words(chance: random.Random) -> str:
    return chance.randbytes(WORDS // 2).hex()


def assert_growth_is_steady(sizes: Sequence[int], *, of: int = LAP, copies: int = 1) -> None:
    """See that what was added last took no more than what was added before."""
    first, second = (after - before for before, after in pairwise(sizes))
    assert second < 1.25 * first
    assert of * 2 * WORDS < second < of * 2 * WORDS * 2 * copies


async def test_the_200th_turn_takes_as_many_round_trips_as_the_second(
    opened: Callable[[], AbstractAsyncContextManager[Ask]], metered: Metered, vendor: Vendor
) -> None:
    trips: list[int] = []
    async with opened() as ask:
        previous = None
        for turn in range(TURNS):
            before = metered.meter.count
            made = await ask(input=str(turn), previous_response_id=previous)
            trips.append(metered.meter.count - before)
            previous = made["id"]
    assert len(vendor.heard[-1]["messages"]) == 2 * TURNS - 1
    assert 0 < min(trips[1 : 1 + SAMPLE]) == min(trips[-SAMPLE:])


async def test_a_chain_takes_bytes_for_new_items_only(
    opened: Callable[[], AbstractAsyncContextManager[Ask]], metered: Metered, vendor: Vendor
) -> None:
    chance = random.Random(4)
    sizes: list[int] = []
    previous = None
    for _ in range(3):
        async with opened() as ask:
            for _ in range(LAP):
                text = words(chance)
                vendor.will(vendor.chat({"content": words(chance)}))
                previous = (await ask(input=text, previous_response_id=previous))["id"]
        sizes.append(await metered.size())
    assert_growth_is_steady(sizes)


@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without ids"])
async def test_a_client_that_sends_its_history_each_time_takes_no_more(
    opened: Callable[[], AbstractAsyncContextManager[Ask]],
    metered: Metered,
    vendor: Vendor,
    *,
    ids: bool,
) -> None:
    chance = random.Random(5)
    sizes: list[int] = []
    history: list[Any] = []
    for _ in range(3):
        async with opened() as ask:
            for _ in range(LAP // 4):
                history.append({"type": "message", "role": "user", "content": words(chance)})
                vendor.will(vendor.chat({"content": words(chance)}))
                output = (await ask(input=history))["output"]
                history += output if ids else [{**item, "id": None} for item in output]
        sizes.append(await metered.size())
    assert_growth_is_steady(sizes, of=LAP // 4, copies=1 if ids else 2)
