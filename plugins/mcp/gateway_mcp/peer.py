"""One server with one set of credentials: its connection, its listing, its last failure."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from gateway_mcp.connection import (
    Connection,
    Connector,
    Endpoint,
    ListedTool,
    McpError,
    McpUnreachableError,
)

__all__ = ["McpTimeoutError", "Peer", "PoolLimits", "Service"]

T = TypeVar("T")


class PoolLimits(Struct, frozen=True, kw_only=True):
    """How much is kept, and for how many seconds.

    More than `connections` are open only while all of them are in use, and one that nobody has used
    for `idle` seconds is closed. `listing` is how long a listing holds if its server does not say
    so, `longest_listing` how long at most. A server that failed is left alone for `failure`.
    """

    connections: int = 64
    idle: float = 300.0
    listing: float = 60.0
    longest_listing: float = 300.0
    failure: float = 5.0


class Service(Struct, frozen=True, kw_only=True):
    """What all peers need. `close` closes a connection, and nobody waits for it."""

    connector: Connector
    limits: PoolLimits
    clock: Callable[[], float]
    close: Callable[[Connection], None]


class McpTimeoutError(McpError):
    """The server took longer than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the server took longer than {seconds:g} seconds")


class Peer:
    """Owns at most one connection to `endpoint`, which any number of tasks use at once.

    What the server has not said yet, the first who needs it asks for all who come meanwhile. If it
    fails, it fails for all of them at once, and for those who come soon after.
    """

    def __init__(self, endpoint: Endpoint, service: Service) -> None:
        self.users = 0
        self.used_at = service.clock()
        self._endpoint = endpoint
        self._service = service
        self._asking = asyncio.Lock()
        self._connection: Connection | None = None
        self._tools: tuple[ListedTool, ...] = ()
        self._listed_at = -math.inf
        self._fresh_until = -math.inf
        self._failure: McpError | None = None
        self._failed_until = -math.inf

    async def tools(self, seconds: float, age: float) -> tuple[ListedTool, ...]:
        """Return the listing, which may take `seconds`.

        One of a while ago will do if it still holds, and in any case if it came since `age` seconds
        before now: so those who waited for it take it, even if it holds for no time.
        """
        since = self._service.clock() - age
        async with self._asking:
            if self._listed_at <= since and self._fresh_until <= self._service.clock():
                await self._ask(self._list, seconds)
            return self._tools

    async def connection(self, seconds: float) -> Connection:
        """Return the connection. Opening one may take `seconds`."""
        if (connection := self._alive()) is not None:
            return connection
        async with self._asking:
            return self._alive() or await self._ask(self._connect, seconds)

    def retire(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._service.close(connection)

    async def _ask(self, question: Callable[[], Awaitable[T]], seconds: float) -> T:
        if self._failure is not None and self._service.clock() < self._failed_until:
            raise self._failure.with_traceback(None)
        try:
            async with asyncio.timeout(seconds):
                return await question()
        except TimeoutError:
            self._failure = McpTimeoutError(seconds)
        except McpError as error:
            self._failure = error
        self._failed_until = self._service.clock() + self._service.limits.failure
        raise self._failure

    async def _list(self) -> None:
        known = self._alive()
        connection = known or await self._connect()
        try:
            self._tools = await connection.list_tools()
        except McpUnreachableError:
            if known is None or known.alive:
                raise
            # It had died unnoticed while nobody used it; to ask again does no harm.
            connection = await self._connect()
            self._tools = await connection.list_tools()
        limits = self._service.limits
        ttl = limits.listing if connection.ttl is None else connection.ttl
        self._listed_at = self._service.clock()
        self._fresh_until = self._listed_at + min(ttl, limits.longest_listing)

    async def _connect(self) -> Connection:
        self.retire()
        self._connection = await self._service.connector.connect(self._endpoint)
        return self._connection

    def _alive(self) -> Connection | None:
        connection = self._connection
        return connection if connection is not None and connection.alive else None
