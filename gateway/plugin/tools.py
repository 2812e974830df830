"""The tool runner contract: tools that the gateway executes itself, such as MCP servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from gateway.types.tools import FunctionTool, Tool

__all__ = ["ToolOutcome", "ToolRunner"]


class ToolOutcome(Struct, frozen=True, kw_only=True):
    """What a tool gave back: `output` for the model, or `error` in its place."""

    output: str = ""
    error: str | None = None


class ToolRunner(Protocol):
    """Runs the tools of one `type`, offered by the hook `gateway_tool_runners`."""

    type: str

    async def functions(self, tool: Tool, /) -> Sequence[FunctionTool]:
        """Return the functions that `tool` stands for, as the model will see them."""
        ...

    async def run(self, tool: Tool, name: str, arguments: str, /) -> ToolOutcome:
        """Run one function with JSON `arguments`."""
        ...
