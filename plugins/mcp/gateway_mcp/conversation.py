"""What is said to a server, whichever way it is carried: introductions, listings and calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from msgspec import Raw, Struct

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
        pages = [page async for page in self._pages()]
        times = [page.ttl_ms / 1000 for page in pages if page.ttl_ms is not None]
        self._ttl = min(_LONGEST_TTL, *times) if times else None
        return tuple(_listed(tool) for tool in self._usable(pages))

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
            async with asyncio.timeout(self._limits.probe_seconds):
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

    async def _pages(self) -> AsyncGenerator[_Page]:
        limits = self._limits
        params: JsonObject = {}
        size = tools = 0
        for _ in range(limits.pages):
            result = await self._ask("tools/list", params)
            size += memoryview(result).nbytes
            page = decode_result(result, _Page)
            tools += len(page.tools)
            if tools > limits.tools or size > limits.answer_bytes:
                break
            yield page
            if not page.next_cursor:
                return
            params = {"cursor": page.next_cursor}
        raise McpProtocolError(
            INVALID_ANSWER,
            f"the server lists more than {limits.tools} tools, {limits.answer_bytes} bytes or"
            f" {limits.pages} pages",
        )

    async def _discover(self) -> bool:
        self._channel.version = MODERN
        return speaks_modern(decode_result(await self._ask("server/discover", {}), Discovered))

    async def _call(self, name: str, arguments: JsonObject) -> _Called:
        headers = parameter_headers(self._marks.get(name, {}), arguments)
        params = {"name": name, "arguments": arguments}
        return decode_result(await self._ask("tools/call", params, headers), _Called)

    async def _ask(
        self, method: str, params: JsonObject, headers: dict[str, str] | None = None
    ) -> Raw:
        """Ask, and once more if the server has forgotten in the meantime who we are."""
        request = self._stamped(method, params, headers or {})
        try:
            return await self._channel.request(request)
        except SessionExpiredError as error:
            await self._introduce_again(error.session)
            return await self._channel.request(request)

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

    def _usable(self, pages: list[_Page]) -> list[_Tool]:
        """Leave out tools that a server since 2026-07-28 has marked in a way that is forbidden."""
        tools = [tool for page in pages for tool in page.tools]
        if self._channel.version != MODERN:
            return tools
        marked = {tool.name: marks(tool.input_schema or {}) for tool in tools}
        self._marks = {name: found for name, found in marked.items() if found is not None}
        return [tool for tool in tools if tool.name in self._marks]


def _listed(tool: _Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        description=tool.description or "",
        input_schema=tool.input_schema or {},
        read_only=tool.annotations.read_only_hint if tool.annotations else None,
    )
