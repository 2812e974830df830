"""Runs MCP servers for whichever model calls their tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Protocol, Self

import msgspec

from gateway.plugin import (
    Config,
    Invocation,
    ToolFunction,
    ToolOutcome,
    ToolRunner,
    ToolSettings,
)
from gateway.types.tools import McpTool, Tool
from gateway.types.wire import JsonObject
from gateway_mcp.connection import Connector, ListedTool, McpError
from gateway_mcp.credentials import silenced
from gateway_mcp.outcomes import Outcomes, listing_error
from gateway_mcp.peer import McpTimeoutError
from gateway_mcp.policy import depends_on_hints, offered
from gateway_mcp.pool import Pool
from gateway_mcp.server import Server
from gateway_mcp.servers import Servers

__all__ = ["Client", "McpRunner"]

_INVALID_PARAMS = -32602  # JSON-RPC's
_SHOWN = 60.0  # seconds that the listing which a model was shown is good for, at least


class Client(Connector, Protocol):
    """A connector that is entered before its first use, and left after the last."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: Any, error: Any, traceback: Any, /) -> None: ...


class McpRunner(ToolRunner):
    """Owns the connections to the servers of all requests, which `client` opens."""

    types: ClassVar[frozenset[str]] = frozenset({"mcp"})

    def __init__(self, config: Config, client: Client) -> None:
        self._settings: ToolSettings = config.tools
        self._servers = Servers(config)
        self._client = client
        self._pool = Pool(client)
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:
            await resources.enter_async_context(self._client)
            await resources.enter_async_context(self._pool)
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._resources.aclose()

    def insists(self, tool: Tool, /) -> bool:
        return isinstance(tool, McpTool) and self._servers.insists(tool)

    def check(self, tool: Tool, tenant: str, /) -> None:
        self._server(tool, tenant)

    async def functions(
        self, tool: Tool, tenant: str, known: Sequence[ToolFunction] | None, /
    ) -> Sequence[ToolFunction]:
        """Return the tools of the server. One that a client brings along is not asked again if
        `known` names any; of the operator's, only what they say themselves counts.
        """
        server = self._server(tool, tenant)
        tools = known if known and not server.listed else await self._list(server)
        return offered(tools, server.allowed, server.policies)

    def announce(self, invocation: Invocation, /) -> None:
        """Leave the item to the gateway, which knows how to write those of MCP."""

    async def run(self, invocation: Invocation, /) -> ToolOutcome:
        server = self._server(invocation.tool, invocation.tenant)
        outcomes = Outcomes(limit=self._settings.result_bytes, secrets=server.secrets)
        arguments = _read(invocation.arguments)
        if arguments is None:
            return outcomes.of_refusal(_INVALID_PARAMS, "The arguments are no JSON object")
        seconds = self._settings.call_seconds
        try:
            async with asyncio.timeout(seconds):
                if not await self._may_call(server, invocation.name):
                    problem = f"Unknown tool: {invocation.name}"
                    return outcomes.of_refusal(_INVALID_PARAMS, problem)
                return outcomes.of_result(await self._pool.call(server, invocation.name, arguments))
        except McpError as error:
            return outcomes.of_error(error)
        except TimeoutError:
            return outcomes.of_error(McpTimeoutError(seconds))

    def _server(self, tool: Tool, tenant: str) -> Server:
        assert isinstance(tool, McpTool)
        return self._servers.resolve(tool, tenant)

    async def _list(self, server: Server) -> list[ToolFunction]:
        try:
            listing = await self._pool.tools(server)
            return [_function(silenced(tool, server.secrets)) for tool in listing]
        except McpError as error:
            raise listing_error(server.label, error, server.secrets) from None

    async def _may_call(self, server: Server, name: str) -> bool:
        """Say whether a tool of this name may be called. Whatever a model or a client made up does
        not reach a server of the operator's, or one with an `allowed_tools`.
        """
        tools = [ToolFunction(name=name)]
        if server.listed or any(map(depends_on_hints, server.allowed)):
            listing = await self._pool.tools(server, age=_SHOWN)
            tools = [_function(tool) for tool in listing if tool.name == name]
        return bool(offered(tools, server.allowed, ()))


def _function(tool: ListedTool) -> ToolFunction:
    return ToolFunction(
        name=tool.name,
        description=tool.description,
        parameters=tool.input_schema,
        read_only=tool.read_only,
    )


def _read(arguments: str) -> JsonObject | None:
    """Return the arguments that the model wrote, or None for what is no object."""
    try:
        return msgspec.json.decode(arguments or "{}", type=JsonObject)
    except (msgspec.MsgspecError, RecursionError):
        return None
