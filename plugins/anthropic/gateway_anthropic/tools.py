"""Tools, and how the model may choose among them, in Anthropic's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.plugin.choice import is_forced, offered_tools
from gateway.plugin.content import items_of
from gateway.plugin.names import safe_name
from gateway.types import tools
from gateway.types.items import CodeInterpreterCall
from gateway.types.request import Request
from gateway_anthropic.computer import toolset
from gateway_anthropic.quirks import Quirks
from gateway_anthropic.schema import strict_schema

__all__ = ["write_choice", "write_tool", "write_tools"]

_Search = tools.WebSearchTool | tools.WebSearchPreviewTool
_HOSTED = {"web_search": "web_search", "code_interpreter": "code_execution"}


def write_tools(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that speak of tools; none if the request has no tools.

    Raises `InvalidRequestError` for a choice of what is not there, or that the model cannot make.
    """
    offered, choice = offered_tools(request), write_choice(request, quirks)
    written = [write_tool(tool, request, quirks) for tool in offered]
    if quirks.web_fetch and any(tool.get("name") == "web_search" for tool in written):
        written.append({"type": "web_fetch_20250910", "name": "web_fetch"})
    members = {"tools": written, "tool_choice": choice, "container": _container(request, offered)}
    return members if written else {}


def write_tool(tool: tools.Tool, request: Request, quirks: Quirks) -> dict[str, Any]:
    """Write one tool. Raises `InvalidRequestError` if the model has no such tool."""
    match tool:
        case tools.FunctionTool():
            return _function(tool)
        case tools.WebSearchTool() | tools.WebSearchPreviewTool():
            return _search(tool, request.max_tool_calls)
        case tools.CodeInterpreterTool():
            return {"type": "code_execution_20250825", "name": "code_execution"}
        case tools.ComputerTool() | tools.ComputerUsePreviewTool() if quirks.computer:
            return toolset()
        case _:
            raise InvalidRequestError(f"the model knows no tool of type {tool.type!r}")


def write_choice(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the choice, empty if it is the model's own.

    Raises `InvalidRequestError` if the model cannot be made to choose so.
    """
    choice = _choice(request)
    is_toolset = isinstance(request.tool_choice, tools.HostedChoice) and choice["type"] == "any"
    if is_forced(request) and quirks.thinking == "always":
        raise InvalidRequestError("the model cannot be made to call a tool", param="tool_choice")
    if is_toolset and len(request.tools or ()) > 1:
        raise InvalidRequestError("such a tool must be the only one", param="tool_choice")
    if request.parallel_tool_calls is False and choice.get("type") != "none":
        return {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return choice


def _choice(request: Request) -> dict[str, Any]:
    match request.tool_choice:
        case None:
            return {}
        case tools.AllowedToolsChoice(mode=mode) | (str() as mode):
            return {"type": "any" if mode == "required" else mode}
        case tools.FunctionChoice(name=name):
            return {"type": "tool", "name": safe_name(name)}
        case choice:
            kind = getattr(choice, "type", "")
            named = [name for hosted, name in _HOSTED.items() if kind.startswith(hosted)]
            return {"type": "tool", "name": named[0]} if named else {"type": "any"}


def _function(tool: tools.FunctionTool) -> dict[str, Any]:
    schema = {"type": "object", **(tool.parameters or {"properties": {}})}
    written: dict[str, Any] = {"name": safe_name(tool.name)}
    written |= {"description": tool.description} if tool.description else {}
    if tool.strict:
        return {**written, "input_schema": strict_schema(schema), "strict": True}
    return {**written, "input_schema": schema}


def _search(tool: _Search, most: int | None) -> dict[str, Any]:
    place = {name: value for name, value in (tool.user_location or {}).items() if value}
    written: dict[str, Any] = {
        "type": "web_search_20250305",
        "name": "web_search",
        **(getattr(tool, "filters", None) or {}),
        "user_location": {**place, "type": "approximate"} if place else None,
        "max_uses": most,
    }
    return {name: value for name, value in written.items() if value}


def _container(request: Request, offered: Sequence[tools.Tool]) -> str | None:
    """Return the container that is asked for, or the last one that code ran in."""
    asked = [tool.container for tool in offered if isinstance(tool, tools.CodeInterpreterTool)]
    if not asked or isinstance(asked[0], str):
        return str(asked[0]) if asked else None
    used = [item for item in items_of(request) if isinstance(item, CodeInterpreterCall)]
    names = [call.container_id for call in reversed(used)]
    return next((name for name in names if name.startswith("container_")), None)
