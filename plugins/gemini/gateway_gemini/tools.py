"""Tools, and how the model may choose among them, in Gemini's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CodeInterpreterTool,
    ComputerTool,
    ComputerUsePreviewTool,
    FunctionChoice,
    FunctionTool,
    Tool,
    WebSearchPreviewTool,
    WebSearchTool,
)
from gateway_gemini.computer import EXCLUDED
from gateway_gemini.quirks import Quirks
from gateway_gemini.schema import write_schema

__all__ = ["write_tools"]


def write_tools(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that speak of tools; none if the request has no tools.

    Raises `InvalidRequestError` if a function must be called and there is none.
    """
    offered = _offered(request)
    functions = [tool for tool in offered if isinstance(tool, FunctionTool)]
    tools = [written for tool in offered if (written := _hosted(tool, quirks))]
    tools += [dict(tool) for tool in quirks.tools]
    calling = _calling(request, functions)
    config: dict[str, Any] = {"functionCallingConfig": calling} if calling and functions else {}
    own = any("computerUse" not in tool for tool in tools)
    if own and functions and quirks.mixes_tools:
        config["includeServerSideToolInvocations"] = True
    if functions:
        tools.append({"functionDeclarations": [_function(tool) for tool in functions]})
    members = {"tools": tools, "toolConfig": config}
    return {name: member for name, member in members.items() if member}


def _offered(request: Request) -> Sequence[Tool]:
    """Return the tools that the choice leaves to the model."""
    tools = request.tools or ()
    match request.tool_choice:
        case AllowedToolsChoice(tools=allowed):
            names = {(choice.get("type"), choice.get("name")) for choice in allowed}
            return [tool for tool in tools if (tool.type, getattr(tool, "name", None)) in names]
        case "none":
            return [tool for tool in tools if isinstance(tool, FunctionTool)]
        case _:
            return tools


def _function(tool: FunctionTool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name, "description": tool.description or ""}
    if tool.parameters:
        written["parametersJsonSchema"] = write_schema(tool.parameters)
    return written


def _hosted(tool: Tool, quirks: Quirks) -> dict[str, Any] | None:
    match tool:
        case WebSearchTool() | WebSearchPreviewTool():
            return {"googleSearch": {}}
        case CodeInterpreterTool():
            return {"codeExecution": {}}
        case ComputerTool():
            environment = quirks.computer_environment
        case ComputerUsePreviewTool():
            environment = "browser" if tool.environment == "browser" else "desktop"
        case _:
            return None
    members = {
        "environment": f"ENVIRONMENT_{environment.upper()}",
        "excludedPredefinedFunctions": [*EXCLUDED[quirks.computer_functions]],
    }
    return {"computerUse": members}


def _calling(request: Request, functions: Sequence[FunctionTool]) -> dict[str, Any]:
    """Return whether a function is to be called, and which.

    `VALIDATED` leaves the model the choice, but holds it to the schemas.
    """
    match request.tool_choice:
        case "none":
            return {"mode": "NONE"}
        case "required" | AllowedToolsChoice(mode="required") if functions:
            return {"mode": "ANY"}
        case FunctionChoice(name=name) if any(tool.name == name for tool in functions):
            return {"mode": "ANY", "allowedFunctionNames": [name]}
        case "required" | FunctionChoice() | AllowedToolsChoice(mode="required"):
            raise InvalidRequestError(
                "tool_choice asks for a function, and `tools` has no such one", param="tool_choice"
            )
        case _:
            return {"mode": "VALIDATED"} if any(tool.strict for tool in functions) else {}
