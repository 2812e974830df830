"""What dialects ask of `tool_choice`: which tools it leaves, and whether one must be called."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import InvalidRequestError
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CustomChoice,
    FunctionChoice,
    HostedChoice,
    Tool,
)

__all__ = ["is_forced", "offered_tools"]


def is_forced(request: Request, /) -> bool:
    """Say whether the model must call a tool."""
    match request.tool_choice:
        case None | "auto" | "none" | AllowedToolsChoice(mode="auto"):
            return False
        case _:
            return True


def offered_tools(request: Request, /) -> Sequence[Tool]:
    """Return the tools to offer: all of them, or those that are allowed.

    Raises `InvalidRequestError` if one must be called that is not there.
    """
    tools = request.tools or ()
    match request.tool_choice:
        case AllowedToolsChoice(tools=allowed):
            names = [(choice.get("type"), choice.get("name")) for choice in allowed]
            tools = [tool for tool in tools if (tool.type, getattr(tool, "name", None)) in names]
            chosen = tools
        case FunctionChoice(name=name) | CustomChoice(name=name):
            chosen = [tool for tool in tools if getattr(tool, "name", None) == name]
        case HostedChoice(type=kind):
            chosen = [tool for tool in tools if tool.type.startswith(kind)]
        case _:
            chosen = tools
    if is_forced(request) and not chosen:
        raise InvalidRequestError(
            "no tool in `tools` is one that tool_choice allows", param="tool_choice"
        )
    return tools
