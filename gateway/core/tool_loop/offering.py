"""What a model sees of the tools that the gateway runs: functions, and a choice among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from gateway.core.lowering.names import flat_name
from gateway.core.tool_loop.runners import Claim
from gateway.errors import InvalidRequestError
from gateway.plugin.support import WEB_SEARCHES
from gateway.plugin.tools import Invocation, ToolFunction
from gateway.types.open import Unknown
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CustomChoice,
    FunctionChoice,
    FunctionTool,
    HostedChoice,
    McpChoice,
    McpTool,
    Tool,
    ToolChoice,
)

__all__ = ["SEARCH_SOURCES", "Offer", "Offering", "Stage", "address_of", "function_name"]

Stage = Literal["first", "further", "last", "unruly"]
"""Whether a call of the model is the first for its response, a further one, one in which it may
want no tool any more, or one in which it may, but gets none.
"""

SEARCH_SOURCES = "web_search_call.action.sources"
"""What an `include` names that the gateway itself adds to the searches that it makes."""

_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
_TOOL = re.compile(r"tools\[(\d+)\]")


class Offer(Struct, frozen=True, kw_only=True):
    """One function that the model may call and the gateway runs; `name` is the model's for it."""

    claim: Claim
    function: ToolFunction

    @property
    def name(self) -> str:
        label = self.server_label
        return self.function.name if label is None else function_name(label, self.function.name)

    @property
    def server_label(self) -> str | None:
        """The MCP server that has it, or None if it is of another kind of tool."""
        return self.claim.tool.server_label if isinstance(self.claim.tool, McpTool) else None

    @property
    def address(self) -> str:
        """Where the server is that an approval is given for, as far as the client says it."""
        return address_of(self.claim.tool)

    def invocation(self, arguments: str, tenant: str) -> Invocation:
        return Invocation(
            tool=self.claim.tool, name=self.function.name, arguments=arguments, tenant=tenant
        )


class Offering:
    """The functions that stand for the claimed tools of one request.

    `listed` are the functions of each claim. Raises `InvalidRequestError` if two functions come to
    bear one name.
    """

    def __init__(self, listed: Iterable[tuple[Claim, Sequence[ToolFunction]]]) -> None:
        self._offers: dict[str, Offer] = {}
        self._positions: set[int] = set()
        for claim, functions in listed:
            self._positions.add(claim.position)
            for function in functions:
                offer = Offer(claim=claim, function=function)
                if self._offers.setdefault(offer.name, offer) is not offer:
                    raise InvalidRequestError(
                        f"two tools come to bear the name {offer.name!r}: send each tool, and each"
                        " MCP server, once",
                        param=f"tools[{claim.position}]",
                    )

    def find(self, name: str) -> Offer | None:
        """Return what the model calls `name`, if it is run here."""
        return self._offers.get(name)

    def of_server(self, label: str, name: str) -> Offer | None:
        """Return the function `name` of the MCP server `label`."""
        offer = self._offers.get(function_name(label, name))
        # Another server may have a function that comes to bear the same name.
        mine = offer is not None and (offer.server_label, offer.function.name) == (label, name)
        return offer if mine else None

    def write(self, request: Request, stage: Stage) -> Request:
        """Return `request` with functions in the place of the claimed tools."""
        tools = tuple(self._tools(request.tools or ()))
        choice = self._choice(request.tool_choice, stage)
        include = request.include
        if include and any(self._of_type(kind) for kind in WEB_SEARCHES):
            include = tuple(name for name in include if name != SEARCH_SOURCES)
        return replace(
            request,
            tools=tools or None,
            tool_choice=choice if tools else None,
            include=include,
        )

    def write_unlisted(self, request: Request) -> Request:
        """Return `request` as it is as long as nobody has asked the tools what they can do."""
        return self.write(replace(request, tool_choice=None), "first")

    def param(self, path: str, asked: Sequence[Tool]) -> str:
        """Return what the client calls the part of a written request at `path`."""
        found = _TOOL.match(path)
        if found is None:
            return path
        kept = [place for place in range(len(asked)) if place not in self._positions]
        position = int(found[1])
        return f"tools[{kept[position]}]{path[found.end() :]}" if position < len(kept) else "tools"

    def _tools(self, asked: Sequence[Tool]) -> Iterator[Tool]:
        for position, tool in enumerate(asked):
            if position not in self._positions:
                yield tool
        described: set[str] = set()
        for name, offer in self._offers.items():
            function = offer.function
            yield FunctionTool(
                name=name,
                description=_described(offer, described) or None,
                parameters=function.parameters or _NO_ARGUMENTS,
                strict=False,
                defer_loading=getattr(offer.claim.tool, "defer_loading", UNSET),
            )

    def _choice(self, choice: ToolChoice | None, stage: Stage) -> ToolChoice | None:
        """Return `choice` as one among functions. What is forced is forced once: else the model
        would never come to an end.
        """
        if stage == "last":
            return "none"
        choice = self._lowered(choice)
        if stage == "first":
            return choice
        match choice:
            case "required" | FunctionChoice() | CustomChoice() | HostedChoice():
                return "auto"
            case AllowedToolsChoice():
                return replace(choice, mode="auto")
            case _:
                return choice

    def _lowered(self, choice: ToolChoice | None) -> ToolChoice | None:
        match choice:
            case McpChoice(server_label=label, name=str(name)):
                return FunctionChoice(name=self._required(function_name(label, name)))
            case McpChoice(server_label=label):
                return AllowedToolsChoice(mode="required", tools=self._members(label))
            case HostedChoice() | Unknown() if names := self._of_type(choice.type):
                return FunctionChoice(name=names[0])
            case AllowedToolsChoice(tools=entries):
                lowered = [one for entry in entries for one in self._entries(entry)]
                return replace(choice, tools=tuple(lowered))
            case _:
                return choice

    def _entries(self, entry: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        kind, name = str(entry.get("type")), entry.get("name")
        if kind == "mcp":
            label = str(entry.get("server_label"))
            if name:
                return [_entry(self._required(function_name(label, str(name))))]
            return self._members(label)
        return [_entry(known) for known in self._of_type(kind)] or [dict(entry)]

    def _members(self, label: str) -> tuple[dict[str, Any], ...]:
        names = [name for name, offer in self._offers.items() if offer.server_label == label]
        if not names:
            raise _no_such_choice(label)
        return tuple(map(_entry, names))

    def _of_type(self, kind: str) -> list[str]:
        return [name for name, offer in self._offers.items() if offer.claim.tool.type == kind]

    def _required(self, name: str) -> str:
        if name not in self._offers:
            raise _no_such_choice(name)
        return name


def function_name(label: str, name: str) -> str:
    """Return what the model calls the function `name` of the MCP server `label`."""
    return flat_name(name, f"mcp__{label}")


def address_of(tool: Tool) -> str:
    """Return the address that the client gives a server; none if it is one of the operator's."""
    return tool.server_url or "" if isinstance(tool, McpTool) else ""


def _entry(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name}


def _described(offer: Offer, described: set[str]) -> str:
    """Return the description of a function; that of its server is told once, with the first."""
    tool, texts = offer.claim.tool, [offer.function.description]
    if isinstance(tool, McpTool) and tool.server_description and offer.server_label:
        if offer.server_label not in described:
            texts.append(f"All functions of {offer.server_label}: {tool.server_description}")
        described.add(offer.server_label)
    return "\n\n".join(filter(None, texts))


def _no_such_choice(name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"tool_choice names {name!r}, which is not among the tools of the request",
        param="tool_choice",
    )
