"""Connections and listings that requests share, by server and credentials, within bounds."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self

import msgspec

from gateway.types.wire import JsonObject
from gateway_mcp.connection import CallResult, Connection, Connector, ListedTool
from gateway_mcp.peer import Peer, PoolLimits, Service
from gateway_mcp.server import Server

__all__ = ["Pool"]

_log = logging.getLogger(__name__)

_SWEEPS = 4  # while a connection becomes idle
_CLOSING_SECONDS = 5.0


class Pool:
    """Owns the connections that `connector` opens. Use it as an async context manager.

    A connection and a listing are shared by those only who name the same server with the same
    credentials for the same owner. `clock` counts seconds.
    """

    def __init__(
        self,
        connector: Connector,
        limits: PoolLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits or PoolLimits()
        self._clock = clock
        self._service = Service(
            connector=connector, limits=self._limits, clock=clock, close=self._close
        )
        self._peers: dict[bytes, Peer] = {}  # who was used last is last
        self._tasks = asyncio.TaskGroup()
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._sweeper = self._tasks.create_task(self._sweep())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._retire(list(self._peers))
        await self._tasks.__aexit__(None, None, None)

    async def tools(self, server: Server, *, age: float = 0.0) -> tuple[ListedTool, ...]:
        """Return what `server` can do: what it said for as long as that holds, or for `age` seconds
        if that is longer. Raises `McpError`.
        """
        with self._peer(server) as peer:
            return await peer.tools(server.seconds, age)

    async def call(self, server: Server, name: str, arguments: JsonObject) -> CallResult:
        """Call a tool of `server`, however long that takes. Raises `McpError`."""
        with self._peer(server) as peer:
            connection = await peer.connection(server.seconds)
            return await connection.call_tool(name, arguments)

    @contextmanager
    def _peer(self, server: Server) -> Generator[Peer]:
        key = _key(server)
        peer = self._peers.pop(key, None) or Peer(server.endpoint, self._service)
        self._peers[key] = peer
        peer.users += 1
        self._shrink()
        try:
            yield peer
        finally:
            peer.users -= 1
            peer.used_at = self._clock()
            self._shrink()

    def _shrink(self) -> None:
        surplus = len(self._peers) - self._limits.connections
        if surplus > 0:
            unused = [key for key, peer in self._peers.items() if not peer.users]
            self._retire(unused[:surplus])

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._limits.idle / _SWEEPS)
            until = self._clock() - self._limits.idle
            peers = self._peers.items()
            self._retire([key for key, peer in peers if not peer.users and peer.used_at <= until])

    def _retire(self, keys: list[bytes]) -> None:
        for key in keys:
            self._peers.pop(key).retire()

    def _close(self, connection: Connection) -> None:
        self._tasks.create_task(_say_goodbye(connection))


async def _say_goodbye(connection: Connection) -> None:
    closing = asyncio.wait_for(connection.aclose(), _CLOSING_SECONDS)
    # Whatever comes of it is the end of this connection, and of nothing else.
    [outcome] = await asyncio.gather(closing, return_exceptions=True)
    if outcome is not None:
        _log.debug("a connection to an MCP server was not closed well: %r", type(outcome))


def _key(server: Server) -> bytes:
    """Return a name for those who share a connection, which tells nothing of the credentials."""
    identity = (server.owner, type(server.endpoint).__name__, server.endpoint)
    return hashlib.sha256(msgspec.json.encode(identity, order="deterministic")).digest()
