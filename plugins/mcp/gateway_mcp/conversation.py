"""What is said to a server, whichever way it is carried: introductions, listings and calls."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from msgspec import Struct

from gateway.types.wire import JsonObject
from gateway_mcp.channel import Channel, SessionExpiredError
from gateway_mcp.connection import (
    CallResult,
    Limits,
    ListedTool,
    McpHttpError,
    McpProtocolError,
)
from gateway_mcp.eras import (
    MODERN,
    UNSUPPORTED_VERSION,
    Discovered,
    Initialized,
    handshake_version,
    initialize_params,
    modern_headers,
    modern_params,
    speaks_modern,
)
from gateway_mcp.messages import INVALID_ANSWER, Request, decode_result
from gateway_mcp.parameter_headers import Marks, marks, parameter_headers

__all__ = ["Conversation"]

T = TypeVar("T")

_PROBE_SECONDS = 5.0
_METHOD_NOT_FOUND = -32601
_HEADER_MISMATCH = -32020
_LONGEST_TTL = 24 * 60 * 60.0


class _Annotations(Struct, frozen=True, kw_only=True, rename="camel"):
    read_only_hint: bool | None = None


class _Tool(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    description: str | None = None
    input_schema: JsonObject | None = None
    annotations: _Annotations | None = None


class _Page(Struct, frozen=True, kw_only=True, rename="camel"):
    tools: tuple[_Tool, ...]
    next_cursor: str | None = None
    ttl_ms: float | None = None


class _Called(Struct, frozen=True, kw_only=True, rename="camel"):
    content: tuple[JsonObject, ...] = ()
    structured_content: Any = None
    is_error: bool | None = None
    result_type: str = "complete"


class Conversation:
    """A connection to a server, in the revision that both sides know."""

    def __init__(self, channel: Channel, limits: Limits) -> None:
        self._channel = channel
        self._limits = limits
        self._ttl: float | None = None
        self._marks: dict[str, Marks] = {}
        self._introducing = asyncio.Lock()

    @property
    def alive(self) -> bool:
        return self._channel.alive

    @property
    def ttl(self) -> float | None:
        return self._ttl

    async def begin(self) -> None:
        """Agree on a revision. A process need not answer to what it does not know, and so the
        handshake comes first there; over HTTP it comes second.
        """
        if not (self._channel.stateless and await self._probe()):
            await self._introduce()

    async def list_tools(self) -> tuple[ListedTool, ...]:
        tools: list[_Tool] = []
        cursor: str | None = None
        ttl: float | None = None
        for _ in range(self._limits.pages):
            params: JsonObject = {} if cursor is None else {"cursor": cursor}
            page = await self._ask("tools/list", params, _Page)
            tools += page.tools
            cursor = page.next_cursor
            ttl = _shorter(ttl, page.ttl_ms)
            if cursor is None or len(tools) > self._limits.tools:
                break
        if cursor is not None or len(tools) > self._limits.tools:
            raise McpProtocolError(
                INVALID_ANSWER, f"the server lists more than {self._limits.tools} tools"
            )
        self._ttl = ttl
        return tuple(_listed(tool) for tool in self._usable(tools))

    async def call_tool(self, name: str, arguments: JsonObject, /) -> CallResult:
        try:
            called = await self._call(name, arguments)
        except McpProtocolError as error:
            if error.code != _HEADER_MISMATCH or name in self._marks:
                raise
            await self.list_tools()  # it says which arguments the server wants in headers
            called = await self._call(name, arguments)
        if called.result_type != "complete":
            raise McpProtocolError(
                INVALID_ANSWER, "the tool asks the user for something, which is not possible here"
            )
        return CallResult(
            content=called.content,
            structured=called.structured_content,
            is_error=bool(called.is_error),
        )

    async def aclose(self) -> None:
        await self._channel.aclose()

    async def _probe(self) -> bool:
        """Say whether the server is one without sessions. One of the others may answer anything,
        or nothing at all.
        """
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return await self._discover()
        except (TimeoutError, McpProtocolError):
            return False
        except McpHttpError as error:
            if error.status in {401, 403}:
                raise
            return False

    async def _introduce(self) -> None:
        """Begin with a handshake, unless the server turns out to know none."""
        self._channel.version = ""
        try:
            request = Request(method="initialize", params=initialize_params())
            answer = decode_result(await self._channel.request(request), Initialized)
        except McpProtocolError as error:
            if error.code not in {UNSUPPORTED_VERSION, _METHOD_NOT_FOUND}:
                raise
            if not await self._discover():
                raise
        else:
            self._channel.version = handshake_version(answer)
            await self._channel.notify("notifications/initialized")

    async def _discover(self) -> bool:
        self._channel.version = MODERN
        return speaks_modern(await self._ask("server/discover", {}, Discovered))

    async def _call(self, name: str, arguments: JsonObject) -> _Called:
        headers = parameter_headers(self._marks.get(name, {}), arguments)
        params = {"name": name, "arguments": arguments}
        return await self._ask("tools/call", params, _Called, headers)

    async def _ask(
        self, method: str, params: JsonObject, shape: type[T], headers: dict[str, str] | None = None
    ) -> T:
        """Ask, and once more if the server has forgotten in the meantime who we are."""
        request = self._stamped(method, params, headers or {})
        try:
            result = await self._channel.request(request)
        except SessionExpiredError as error:
            await self._introduce_again(error.session)
            result = await self._channel.request(request)
        return decode_result(result, shape)

    async def _introduce_again(self, expired: str) -> None:
        async with self._introducing:
            if self._channel.session == expired:
                await self._introduce()

    def _stamped(self, method: str, params: JsonObject, headers: dict[str, str]) -> Request:
        if self._channel.version != MODERN:
            return Request(method=method, params=params)
        return Request(
            method=method,
            params=modern_params(params),
            headers={**headers, **modern_headers(method, params)},
        )

    def _usable(self, tools: list[_Tool]) -> list[_Tool]:
        """Leave out tools that a server since 2026-07-28 has marked in a way that is forbidden."""
        if self._channel.version != MODERN:
            return tools
        marked = {tool.name: marks(tool.input_schema or {}) for tool in tools}
        self._marks = {name: found for name, found in marked.items() if found is not None}
        return [tool for tool in tools if tool.name in self._marks]


def _shorter(ttl: float | None, milliseconds: float | None) -> float | None:
    if milliseconds is None:
        return ttl
    seconds = min(max(milliseconds / 1000, 0.0), _LONGEST_TTL)
    return seconds if ttl is None else min(ttl, seconds)


def _listed(tool: _Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        description=tool.description or "",
        input_schema=tool.input_schema or {},
        read_only=tool.annotations.read_only_hint if tool.annotations else None,
    )
