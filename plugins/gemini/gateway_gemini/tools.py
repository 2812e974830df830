"""Tools, and how the model may choose among them, in Gemini's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.plugin.choice import is_forced, offered_tools
from gateway.plugin.names import safe_name
from gateway.types.request import Request
from gateway.types.tools import (
    CodeInterpreterTool,
    ComputerTool,
    ComputerUsePreviewTool,
    FunctionChoice,
    FunctionTool,
    Tool,
    WebSearchPreviewTool,
    WebSearchTool,
)
from gateway_gemini.functions import EXCLUDED
from gateway_gemini.quirks import Quirks
from gateway_gemini.schema import write_schema

__all__ = ["NAMES", "write_tools"]

NAMES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
"""The names that functions may have."""


def write_tools(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that speak of tools; none if the request has no tools.

    Raises `InvalidRequestError` if a function must be called and there is none.
    """
    offered = offered_tools(request)
    functions = [tool for tool in offered if isinstance(tool, FunctionTool)]
    if is_forced(request) and not functions:
        raise InvalidRequestError("gemini can only be made to call functions", param="tool_choice")
    hosted = () if request.tool_choice == "none" else offered
    tools = [written for tool in hosted if (written := _hosted(tool, quirks))]
    tools += quirks.tools
    config: dict[str, Any] = {}
    if functions:
        own = any("computerUse" not in tool for tool in tools)
        config = {"includeServerSideToolInvocations": True} if own and quirks.mixes_tools else {}
        config |= _calling(request, functions)
        tools.append({"functionDeclarations": [_function(tool) for tool in functions]})
    members = {"tools": tools, "toolConfig": config}
    return {name: member for name, member in members.items() if member}


def _function(tool: FunctionTool) -> dict[str, Any]:
    name = safe_name(tool.name, NAMES)
    written: dict[str, Any] = {"name": name, "description": tool.description or ""}
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
    calling: dict[str, Any] = {}
    if request.tool_choice == "none":
        calling["mode"] = "NONE"
    elif is_forced(request):
        calling["mode"] = "ANY"
    elif any(tool.strict for tool in functions):
        calling["mode"] = "VALIDATED"
    if isinstance(request.tool_choice, FunctionChoice):
        calling["allowedFunctionNames"] = [safe_name(request.tool_choice.name, NAMES)]
    return {"functionCallingConfig": calling} if calling else {}
