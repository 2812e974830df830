"""What requests share of their servers: once for all, never with others, and never for ever."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.types.wire import JsonObject
from gateway_mcp.connection import (
    CallResult,
    Connection,
    Endpoint,
    HttpEndpoint,
    ListedTool,
    McpError,
    McpUnreachableError,
)
from gateway_mcp.peer import McpTimeoutError, PoolLimits
from gateway_mcp.pool import Pool
from gateway_mcp.server import Server

TOOLS = (ListedTool(name="ask"),)


class FakeConnection:
    """A connection that answers at once; one with a `failure` gives that instead."""

    def __init__(self, ttl: float | None = None) -> None:
        self.alive = True
        self.ttl = ttl
        self.failure: McpError | None = None
        self.listings = 0
        self.closed = asyncio.Event()
        self.called = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def list_tools(self) -> tuple[ListedTool, ...]:
        self.listings += 1
        if self.failure is not None:
            raise self.failure
        return TOOLS

    async def call_tool(self, name: str, arguments: JsonObject, /) -> CallResult:
        self.called.set()
        await self.may_end.wait()
        return CallResult(content=({"type": "text", "text": name},))

    async def aclose(self) -> None:
        self.alive = False
        self.closed.set()


class FakeConnector:
    """Opens fake connections, when `open` is set, and keeps them in the order of opening."""

    def __init__(self) -> None:
        self.opened: list[FakeConnection] = []
        self.asked = 0
        self.asking = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = False
        self.failure: McpError | None = None
        self.make: Callable[[], FakeConnection] = FakeConnection

    async def connect(self, endpoint: Endpoint, /) -> Connection:
        self.asked += 1
        self.asking.set()
        if not self.at_once:
            await self.open.wait()
        if self.failure is not None:
            raise self.failure
        self.opened.append(self.make())
        return self.opened[-1]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def server(name: str = "docs", *, key: str = "", owner: str = "", seconds: float = 9.0) -> Server:
    return Server(
        label=name,
        endpoint=HttpEndpoint(url=f"https://{name}.example", headers={"X-Key": key}),
        owner=owner,
        allowed=(),
        policies=(),
        listed=False,
        seconds=seconds,
        secrets=frozenset(),
    )


@asynccontextmanager
async def pooled(
    connector: FakeConnector, clock: Clock | None = None, **limits: float
) -> AsyncGenerator[Pool]:
    settings = PoolLimits(**limits)  # pyright: ignore[reportArgumentType]  # tests give few
    async with Pool(connector, settings, clock or Clock()) as pool:
        yield pool


async def test_a_server_is_connected_to_and_listed_once_for_all() -> None:
    connector = FakeConnector()
    connector.open.clear()
    async with pooled(connector) as pool, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(pool.tools(server())) for _ in range(20)]
        asking += [tasks.create_task(pool.tools(server()))]
        await connector.asking.wait()
        connector.open.set()
        assert [await task for task in asking] == [TOOLS] * 21
        await pool.call(server(), "ask", {})
    assert [connection.listings for connection in connector.opened] == [1]


@pytest.mark.parametrize(
    "other",
    [server("wiki"), server(key="another"), server(owner="lab")],
    ids=["server", "credential", "owner"],
)
async def test_nothing_is_shared_with_other_servers_credentials_or_owners(other: Server) -> None:
    connector = FakeConnector()
    async with pooled(connector) as pool:
        await pool.tools(server())
        await pool.tools(other)
        assert [connection.listings for connection in connector.opened] == [1, 1]


@pytest.mark.parametrize(("ttl", "seconds"), [(None, 60.0), (10.0, 10.0), (1e9, 300.0)])
async def test_a_listing_holds_as_long_as_its_server_says_within_reason(
    ttl: float | None, seconds: float
) -> None:
    connector, clock = FakeConnector(), Clock()
    connector.make = lambda: FakeConnection(ttl)
    async with pooled(connector, clock) as pool:
        await pool.tools(server())
        clock.now += seconds - 0.5
        await pool.tools(server())
        [connection] = connector.opened
        assert connection.listings == 1
        clock.now += 0.5
        await pool.tools(server())
        assert connection.listings == 2


async def test_a_listing_that_holds_for_no_time_is_asked_for_each_time() -> None:
    connector, clock = FakeConnector(), Clock()
    connector.make = lambda: FakeConnection(ttl=0.0)
    async with pooled(connector, clock) as pool:
        for _ in range(3):
            await pool.tools(server())
            clock.now += 1.0
        await pool.tools(server(), age=1.5)  # what was shown to a model a moment ago
    assert [connection.listings for connection in connector.opened] == [3]


async def test_those_who_waited_for_a_listing_take_it_even_if_it_holds_for_no_time() -> None:
    connector, clock = FakeConnector(), Clock()
    connector.make = lambda: FakeConnection(ttl=0.0)
    connector.open.clear()
    async with pooled(connector, clock) as pool, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(pool.tools(server())) for _ in range(20)]
        await connector.asking.wait()
        clock.now += 1.0
        connector.open.set()
        assert [await task for task in asking] == [TOOLS] * 20
    assert [connection.listings for connection in connector.opened] == [1]


async def test_a_dead_server_fails_for_all_at_once_and_is_left_alone_for_a_while() -> None:
    connector, clock = FakeConnector(), Clock()
    connector.failure = McpUnreachableError("No connection")
    connector.open.clear()
    async with pooled(connector, clock) as pool, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(outcome(pool.tools(server()))) for _ in range(20)]
        calling = tasks.create_task(outcome(pool.call(server(), "ask", {})))
        await connector.asking.wait()
        connector.open.set()
        assert {str(await task) for task in (*asking, calling)} == {"No connection"}
        assert connector.asked == 1
        clock.now += 5.0
        connector.failure = None
        assert await pool.tools(server()) == TOOLS


async def outcome(asking: Awaitable[object]) -> object:
    """Return what `asking` returns or raises."""
    [found] = await asyncio.gather(asking, return_exceptions=True)
    return found


async def test_a_server_that_never_answers_fails_in_time_and_holds_nobody_else_up() -> None:
    connector = FakeConnector()
    async with pooled(connector) as pool, asyncio.TaskGroup() as tasks:
        connector.open.clear()
        hanging = [
            tasks.create_task(outcome(pool.tools(server("hanging", seconds=0.05))))
            for _ in range(3)
        ]
        await connector.asking.wait()
        connector.at_once = True
        assert await pool.tools(server("other")) == TOOLS
        failures = [await task for task in hanging]
    assert [type(failure) for failure in failures] == [McpTimeoutError] * 3
    assert str(failures[0]) == "the server took longer than 0.05 seconds"
    assert connector.asked == 2


async def test_who_asks_and_leaves_takes_nobody_along() -> None:
    connector = FakeConnector()
    connector.open.clear()
    async with pooled(connector) as pool, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(pool.tools(server()))
        await connector.asking.wait()
        second = tasks.create_task(pool.tools(server()))
        connector.asking.clear()
        first.cancel()
        await connector.asking.wait()
        connector.open.set()
        assert await second == TOOLS
    assert first.cancelled()


async def test_a_connection_that_died_is_replaced() -> None:
    connector, clock = FakeConnector(), Clock()
    async with pooled(connector, clock) as pool:
        await pool.tools(server())
        connector.opened[0].alive = False
        await pool.call(server(), "ask", {})
        assert len(connector.opened) == 2
        await connector.opened[0].closed.wait()


class DyingConnection(FakeConnection):
    """Finds out that it is dead only when it is used again."""

    async def list_tools(self) -> tuple[ListedTool, ...]:
        if self.listings:
            self.alive = False
            raise McpUnreachableError("The connection broke")
        return await super().list_tools()


async def test_a_connection_that_died_unnoticed_is_replaced_once() -> None:
    connector, clock = FakeConnector(), Clock()
    connector.make = DyingConnection
    async with pooled(connector, clock) as pool:
        await pool.tools(server())
        clock.now += 60.0
        assert await pool.tools(server()) == TOOLS
        assert len(connector.opened) == 2


async def test_the_connection_used_longest_ago_makes_room() -> None:
    connector = FakeConnector()
    async with pooled(connector, connections=2) as pool:
        for name in ("a", "b", "a", "c"):
            await pool.tools(server(name))
        await connector.opened[1].closed.wait()
        assert [connection.alive for connection in connector.opened] == [True, False, True]


async def test_a_connection_in_use_is_never_closed_to_make_room() -> None:
    connector = FakeConnector()
    async with pooled(connector, connections=1) as pool, asyncio.TaskGroup() as tasks:
        await pool.tools(server("busy"))
        [busy] = connector.opened
        busy.may_end.clear()
        call = tasks.create_task(pool.call(server("busy"), "ask", {}))
        await busy.called.wait()
        await pool.tools(server("other"))
        await connector.opened[1].closed.wait()
        assert busy.alive
        busy.may_end.set()
        assert (await call).content == ({"type": "text", "text": "ask"},)


async def test_a_connection_that_nobody_uses_is_closed() -> None:
    connector, clock = FakeConnector(), Clock()
    async with pooled(connector, clock, idle=0.01) as pool:
        await pool.tools(server())
        clock.now += 0.01
        await connector.opened[0].closed.wait()


async def test_leaving_closes_everything_even_what_does_not_close_well() -> None:
    class Stubborn(FakeConnection):
        async def aclose(self) -> None:
            await super().aclose()
            raise McpUnreachableError("The connection broke")

    connector = FakeConnector()
    connector.make = Stubborn
    async with pooled(connector) as pool:
        await pool.tools(server("a"))
        await pool.tools(server("b"))
    assert all(connection.closed.is_set() for connection in connector.opened)
