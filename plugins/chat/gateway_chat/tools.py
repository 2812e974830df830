"""Function tools, and how the model may choose among them, in the words of Chat Completions."""

from __future__ import annotations

from typing import Any

from gateway.types.request import Request
from gateway.types.tools import AllowedToolsChoice, FunctionChoice, FunctionTool
from gateway_chat.quirks import Quirks

__all__ = ["NO_PARAMETERS", "choosable", "write_tools"]

NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def choosable(request: Request) -> tuple[FunctionTool, ...]:
    """Return the functions that `tool_choice` leaves to the model."""
    functions = [tool for tool in request.tools or () if isinstance(tool, FunctionTool)]
    match request.tool_choice:
        case AllowedToolsChoice(tools=allowed):
            names = {tool.get("name") for tool in allowed}
            return tuple(tool for tool in functions if tool.name in names)
        case FunctionChoice(name=name):
            return tuple(tool for tool in functions if tool.name == name)
        case _:
            return tuple(functions)


def write_tools(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that speak of tools; none if the request has no tools."""
    functions = [tool for tool in request.tools or () if isinstance(tool, FunctionTool)]
    if not functions:
        return {}
    choice = _choice(request, quirks)
    named = isinstance(request.tool_choice, FunctionChoice) and isinstance(choice, dict)
    offered = functions if named else choosable(request)
    members: dict[str, Any] = {"tools": [_tool(tool, quirks) for tool in offered]}
    if choice is not None:
        members["tool_choice"] = choice
    if request.parallel_tool_calls is not None and quirks.parallel_tool_calls:
        members["parallel_tool_calls"] = request.parallel_tool_calls
    return members


def _tool(tool: FunctionTool, quirks: Quirks) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or NO_PARAMETERS
    if tool.strict is not None and quirks.strict_tools:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(request: Request, quirks: Quirks) -> str | dict[str, Any] | None:
    """Return `tool_choice`; a choice among some tools is made by offering only those."""
    required = "required" if "required" in quirks.tool_choice else "any"
    match request.tool_choice:
        case "none" | "auto" as choice:
            return choice
        case FunctionChoice(name=name) if "named" in quirks.tool_choice:
            return {"type": "function", "function": {"name": name}}
        case AllowedToolsChoice(mode="auto"):
            return "auto"
        case "required" | FunctionChoice() | AllowedToolsChoice():
            return required
        case _:
            return None
