"""Tools, and how the model may choose among them, in the words of Chat Completions."""

from __future__ import annotations

from typing import Any

from gateway.errors import InvalidRequestError
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CustomChoice,
    CustomTool,
    FunctionChoice,
    FunctionTool,
    GrammarFormat,
    TextFormat,
)
from gateway_chat.quirks import Quirks
from gateway_chat.web_search import write_search_tools

__all__ = ["NO_PARAMETERS", "check_choice", "choosable", "is_forced", "write_tools"]

NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}

Callable = FunctionTool | CustomTool


def choosable(request: Request) -> tuple[FunctionTool, ...]:
    """Return the functions that `tool_choice` leaves to the model."""
    return tuple(tool for tool in _choosable(request) if isinstance(tool, FunctionTool))


def is_forced(request: Request) -> bool:
    """Say whether the model must call a tool."""
    match request.tool_choice:
        case "required" | FunctionChoice() | CustomChoice() | AllowedToolsChoice(mode="required"):
            return True
        case _:
            return False


def check_choice(request: Request) -> None:
    """Raise `InvalidRequestError` if `tool_choice` names what is not in `tools`."""
    if isinstance(request.tool_choice, FunctionChoice | CustomChoice | AllowedToolsChoice):
        is_empty = not _choosable(request)
    else:
        is_empty = is_forced(request) and not request.tools
    if is_empty:
        raise InvalidRequestError(
            "no tool in `tools` is one that tool_choice allows", param="tool_choice"
        )


def write_tools(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that speak of tools; none if the request has no tools."""
    offered = [_tool(tool, quirks) for tool in _offered(request, quirks)]
    searches = write_search_tools(request, quirks)
    if not offered:
        return {"tools": searches} if searches else {}
    members: dict[str, Any] = {"tools": [*offered, *searches]}
    if (choice := _choice(request, quirks)) is not None:
        members["tool_choice"] = choice
    if request.parallel_tool_calls is not None and quirks.parallel_tool_calls:
        members["parallel_tool_calls"] = request.parallel_tool_calls
    return members


def _callables(request: Request) -> tuple[Callable, ...]:
    return tuple(tool for tool in request.tools or () if isinstance(tool, Callable))


def _choosable(request: Request) -> tuple[Callable, ...]:
    match request.tool_choice:
        case AllowedToolsChoice(tools=allowed):
            names = {str(tool.get("name")) for tool in allowed}
            return tuple(tool for tool in _callables(request) if tool.name in names)
        case FunctionChoice(name=name) | CustomChoice(name=name):
            return tuple(tool for tool in _callables(request) if tool.name == name)
        case _:
            return _callables(request)


def _offered(request: Request, quirks: Quirks) -> tuple[Callable, ...]:
    """Return the tools to list: fewer than there are where the server cannot be told the choice."""
    match request.tool_choice:
        case FunctionChoice() | CustomChoice() if "named" in quirks.tool_choice:
            return _callables(request)
        case AllowedToolsChoice() if "allowed" in quirks.tool_choice:
            return _callables(request)
        case "none" if "none" not in quirks.tool_choice:
            return ()
        case _:
            return _choosable(request)


def _tool(tool: Callable, quirks: Quirks) -> dict[str, Any]:
    description = {"description": tool.description} if tool.description else {}
    if isinstance(tool, CustomTool):
        custom = {"name": tool.name, **description, **_format(tool)}
        return {"type": "custom", "custom": custom}
    function: dict[str, Any] = {"name": tool.name, **description}
    function["parameters"] = tool.parameters or NO_PARAMETERS
    if tool.strict is not None and quirks.strict_tools:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _format(tool: CustomTool) -> dict[str, Any]:
    match tool.format:
        case GrammarFormat(syntax=syntax, definition=definition):
            grammar = {"syntax": syntax, "definition": definition}
            return {"format": {"type": "grammar", "grammar": grammar}}
        case TextFormat():
            return {"format": {"type": "text"}}
        case _:
            return {}


def _choice(request: Request, quirks: Quirks) -> str | dict[str, Any] | None:
    required = "required" if "required" in quirks.tool_choice else "any"
    match request.tool_choice:
        case "none" | "auto" as choice:
            return choice
        case FunctionChoice() | CustomChoice() as choice if "named" in quirks.tool_choice:
            return _named(choice.type, choice.name)
        case AllowedToolsChoice(mode=mode, tools=tools) if "allowed" in quirks.tool_choice:
            named = [_named(str(tool.get("type")), str(tool.get("name"))) for tool in tools]
            return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}
        case AllowedToolsChoice(mode="auto"):
            return "auto"
        case "required" | FunctionChoice() | CustomChoice() | AllowedToolsChoice():
            return required
        case _:
            return None


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, kind: {"name": name}}
