"""Lowering: a request whose tools, calls and choice of tools are functions where they must be."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import msgspec
from msgspec import Struct

from gateway.core.lowering.catalog import Catalog
from gateway.core.lowering.choice import lower_choice
from gateway.core.lowering.history import lower_items
from gateway.core.lowering.mcp_calls import MCP_ITEMS, lower_mcp_calls
from gateway.core.lowering.names import Origin
from gateway.core.lowering.offers import gather
from gateway.core.lowering.restoring import Restoring
from gateway.plugin.dialect import Translator
from gateway.types.items import AdditionalTools, ToolSearchOutput
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CustomChoice,
    FunctionChoice,
    NamespaceTool,
    Tool,
)

__all__ = ["Lowered", "lower"]


class Lowered(Struct, frozen=True, kw_only=True):
    """A request as a dialect sees it, and what its functions stand for."""

    request: Request
    origins: Mapping[str, Origin]

    def restoring(self, translator: Translator) -> Translator:
        """Return `translator` such that calls are those of the tools that the client knows."""
        return Restoring(translator, self.origins) if self.origins else translator


def lower(request: Request, types: Container[str]) -> Lowered:
    """Turn what is of one of `types` (of tools, items, tool choices) into functions.

    Raises `InvalidRequestError` for a tool that only a server could run, for two tools that come to
    bear one name, and for a choice of a tool that is not there.
    """
    offers = gather(request, types)
    catalog = Catalog(offers, types)
    choice = lower_choice(request.tool_choice, catalog, types)
    tools = catalog.tools(_names(choice))
    items = request.input
    if items is not None and not isinstance(items, str):
        namespaces = "namespace" in types or not _has_namespaces(request)
        if any(kind in types for kind in MCP_ITEMS):
            items = lower_mcp_calls(items)
        items = lower_items(items, types, namespaces=namespaces)
    lowered = msgspec.structs.replace(request, tools=tools or None, tool_choice=choice, input=items)
    return Lowered(request=lowered, origins=catalog.origins)


def _names(choice: object) -> tuple[str, ...]:
    match choice:
        case FunctionChoice(name=name) | CustomChoice(name=name):
            return (name,)
        case AllowedToolsChoice(tools=entries):
            return tuple(str(entry.get("name")) for entry in entries)
        case _:
            return ()


def _has_namespaces(request: Request) -> bool:
    """Say whether namespaces are the dialect's own: then calls keep theirs."""
    return any(isinstance(tool, NamespaceTool) for tool in _all_tools(request))


def _all_tools(request: Request) -> Iterable[Tool]:
    yield from request.tools or ()
    if request.input and not isinstance(request.input, str):
        for item in request.input:
            if isinstance(item, AdditionalTools | ToolSearchOutput):
                yield from item.tools
