"""Offers: every tool that a request puts before the model, wherever it stands in there."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import msgspec
from msgspec import Struct

from gateway.core.lowering.names import Origin, flat_name
from gateway.types.items import AdditionalTools, ToolSearchOutput
from gateway.types.request import Request
from gateway.types.tools import CustomTool, FunctionTool, NamespaceMember, NamespaceTool, Tool

__all__ = ["NAMED_BY_TYPE", "Offer", "gather", "unfold"]

NAMED_BY_TYPE = ("shell", "local_shell", "apply_patch", "tool_search")
"""The tools that have no name of their own: there can be one of each."""


class Offer(Struct, frozen=True, kw_only=True):
    """One tool, and the `path` in the request at which it stands.

    `name` is what it will be called, None if it stays as it is and has no name. `loaded` says that
    a search has found it.
    """

    tool: Tool | NamespaceMember
    path: str
    name: str | None
    namespace: NamespaceTool | None = None
    loaded: bool = False

    @property
    def origin(self) -> Origin:
        """What its calls have to say of it."""
        own = self.tool.name if isinstance(self.tool, FunctionTool | CustomTool) else self.tool.type
        return Origin(self.tool.type, own, self.namespace.name if self.namespace else None)

    @property
    def deferred(self) -> bool:
        """Whether it is to be searched for before it can be called."""
        tool = self.tool
        return isinstance(tool, FunctionTool | CustomTool) and tool.defer_loading is True


def gather(request: Request, types: Container[str]) -> list[Offer]:
    """Return the offers in their order; what items bring is left out if it is there already."""
    offers = list(unfold(request.tools or (), "tools", types))
    known = {offer.origin: position for position, offer in enumerate(offers)}
    for offer in _brought(request, types):
        position = known.setdefault(offer.origin, len(offers)) if offer.name else len(offers)
        if position == len(offers):
            offers.append(offer)
        elif offer.loaded:
            offers[position] = msgspec.structs.replace(offers[position], loaded=True)
    return offers


def _brought(request: Request, types: Container[str]) -> Iterator[Offer]:
    items = () if isinstance(request.input, str) else request.input or ()
    for position, item in enumerate(items):
        if isinstance(item, AdditionalTools | ToolSearchOutput) and item.type in types:
            found = isinstance(item, ToolSearchOutput)
            for offer in unfold(item.tools, f"input[{position}].tools", types):
                yield msgspec.structs.replace(offer, loaded=found)


def unfold(tools: Iterable[Tool], path: str, types: Container[str]) -> Iterator[Offer]:
    """Yield an offer for each tool, and for each member of a namespace."""
    for position, tool in enumerate(tools):
        place = f"{path}[{position}]"
        if not isinstance(tool, NamespaceTool) or tool.type not in types:
            yield Offer(tool=tool, path=place, name=_name(tool, types))
            continue
        for number, member in enumerate(tool.tools):
            name = _name(member, types)
            yield Offer(
                tool=member,
                path=f"{place}.tools[{number}]",
                name=name and flat_name(name, tool.name),
                namespace=tool,
            )


def _name(tool: Tool | NamespaceMember, types: Container[str]) -> str | None:
    if isinstance(tool, FunctionTool | CustomTool):
        return tool.name
    return tool.type if tool.type in NAMED_BY_TYPE and tool.type in types else None
