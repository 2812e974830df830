"""Asking tools what they can do, unless an earlier listing in the context says it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from msgspec import UNSET, Struct

from gateway.core.tool_loop.runners import Claim
from gateway.errors import ToolError
from gateway.plugin.tools import ToolFunction
from gateway.types.hosted_items import McpListedTool
from gateway.types.items import InputItem, McpListTools
from gateway.types.tools import McpTool, Tool
from gateway.types.wire import JsonObject

__all__ = ["Listing", "list_functions", "planned"]


class Listing(Struct, frozen=True, kw_only=True):
    """A claimed tool and what an earlier listing `known` in the context says of it, if any."""

    claim: Claim
    known: tuple[ToolFunction, ...] | None = None

    def item(self, key: str) -> McpListTools | None:
        """Return the item `key` that tells the client of the listing which is about to be made."""
        tool = self.claim.tool
        if not isinstance(tool, McpTool) or self.known is not None:
            return None
        return McpListTools(id=key, server_label=tool.server_label)


class Listed(Struct, frozen=True, kw_only=True):
    """What came of a listing: the functions of the tool, or why it does not say."""

    listing: Listing
    functions: tuple[ToolFunction, ...] = ()
    error: ToolError | None = None

    def item(self, begun: McpListTools) -> McpListTools:
        """Return how the item that tells of it ends."""
        return McpListTools(
            id=begun.id,
            server_label=begun.server_label,
            tools=tuple(map(_told, self.functions)),
            error=self.error.message if self.error else UNSET,
        )


def planned(claims: Iterable[Claim], context: Sequence[InputItem]) -> tuple[Listing, ...]:
    """Return what is to be listed for `claims`, given what `context` says already.

    A listing of nothing is one, too: clients replay it so, and OpenAI then tells of no other.
    """
    earlier = {
        item.server_label: item
        for item in context
        if isinstance(item, McpListTools) and not item.error
    }
    listings: list[Listing] = []
    for claim in claims:
        found = earlier.get(getattr(claim.tool, "server_label", ""))
        known = tuple(map(_read, found.tools)) if found is not None else None
        listings.append(Listing(claim=claim, known=known))
    return tuple(listings)


async def list_functions(listings: Iterable[Listing], tenant: str, seconds: float) -> list[Listed]:
    """Return the functions of all tools, in the order of `listings`; none waits for another, and
    all at most so many seconds.
    """
    async with asyncio.TaskGroup() as tasks:
        under_way = [tasks.create_task(_list(listing, tenant, seconds)) for listing in listings]
    return [task.result() for task in under_way]


async def _list(listing: Listing, tenant: str, seconds: float) -> Listed:
    claim = listing.claim
    try:
        async with asyncio.timeout(seconds):
            functions = await claim.runner.functions(claim.tool, tenant, listing.known)
    except TimeoutError:
        error = ToolError(f"{_named(claim.tool)} did not answer in time", param="tools")
        return Listed(listing=listing, error=error)
    except ToolError as error:
        error.param = error.param or "tools"
        return Listed(listing=listing, error=error)
    return Listed(listing=listing, functions=tuple(functions))


def _named(tool: Tool) -> str:
    if isinstance(tool, McpTool):
        return f"Error retrieving tool list from MCP server: {tool.server_label!r}. It"
    return f"a tool of the type {tool.type!r}"


def _told(function: ToolFunction) -> McpListedTool:
    return McpListedTool(
        name=function.name,
        description=function.description or UNSET,
        input_schema=function.parameters,
        annotations={"read_only": bool(function.read_only)},
    )


def _read(tool: McpListedTool) -> ToolFunction:
    annotations = cast("JsonObject", tool.annotations or {})
    read_only = annotations.get("read_only") if isinstance(tool.annotations, dict) else None
    schema: Any = tool.input_schema
    return ToolFunction(
        name=tool.name,
        description=tool.description or "",
        parameters=schema if isinstance(schema, dict) else None,
        read_only=read_only if isinstance(read_only, bool) else None,
    )
