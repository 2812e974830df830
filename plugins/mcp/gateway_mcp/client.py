"""The client of MCP servers: opens connections of every kind, and owns what they share."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver

from gateway_mcp.addresses import connector
from gateway_mcp.background import Background
from gateway_mcp.channel import Channel
from gateway_mcp.connection import (
    Connection,
    Endpoint,
    Limits,
    McpError,
    McpHttpError,
    ProcessEndpoint,
)
from gateway_mcp.conversation import Conversation
from gateway_mcp.event_stream import EventStreamHttp
from gateway_mcp.http import Exchange
from gateway_mcp.process import ServerProcess
from gateway_mcp.streamable import StreamableHttp

__all__ = ["McpClient"]

_OUR_HEADERS = {"accept-encoding": "identity", "user-agent": "responses-gateway"}
_NOT_POSTED_TO = (400, 404, 405, 406, 415)
"""What servers of the older HTTP with server-sent events answer to a POST at their address."""


class McpClient:
    """Connects to MCP servers while it is entered. `resolver` replaces the system's."""

    def __init__(
        self, limits: Limits | None = None, resolver: AbstractResolver | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._resolver = resolver
        self._background = Background()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for private in (False, True):
            session = self._session(private=private)
            self._sessions[private] = await self._stack.enter_async_context(session)
        await self._stack.enter_async_context(self._background)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    async def connect(self, endpoint: Endpoint, /) -> Connection:
        """Open a connection, in the newest revision that the server speaks.

        A server that does not answer to streamable HTTP is tried with the older HTTP and events,
        as the protocol says. Raises an `McpError`.
        """
        if isinstance(endpoint, ProcessEndpoint):
            return await self._opened(ServerProcess(endpoint, self._background, self._limits))
        exchange = Exchange(endpoint, self._sessions[endpoint.private])
        if endpoint.transport == "sse":
            return await self._opened(EventStreamHttp(exchange, self._background, self._limits))
        try:
            return await self._opened(StreamableHttp(exchange, self._background, self._limits))
        except McpHttpError as error:
            if error.status not in _NOT_POSTED_TO:
                raise
            older = EventStreamHttp(exchange, self._background, self._limits)
            try:
                return await self._opened(older)
            except McpError:
                raise error from None

    async def _opened(self, channel: Channel) -> Connection:
        """Return the connection over `channel`, which is closed if there is none to be had."""
        conversation = Conversation(channel, self._limits)
        with ExitStack() as stack:
            stack.callback(lambda: self._background.start(channel.aclose()))
            await channel.open()
            await conversation.begin()
            stack.pop_all()
        return conversation

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector(private=private, resolver=self._resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_OUR_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect_seconds),
            trust_env=False,
        )
