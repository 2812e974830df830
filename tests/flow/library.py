"""A library that lends books in the place of an MCP server, and models that ask it: invented."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from gateway.errors import InvalidRequestError, ToolError
from gateway.plugin.tools import Invocation, ToolFunction, ToolOutcome
from gateway.testing import Script, ScriptedUpstream, event_stream
from gateway.types.tools import McpTool, Tool

if TYPE_CHECKING:
    from .conftest import Gateway

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
LIBRARY = {"type": "mcp", "server_label": "library", "server_url": "https://library.test/mcp"}
FREE = {**LIBRARY, "require_approval": "never"}
FIND = {"type": "function", "name": "find", "parameters": SCHEMA, "strict": False}


class Library:
    """Runs the functions of the server `library`, which lends books and does not like haste."""

    types: ClassVar[frozenset[str]] = frozenset({"mcp"})

    def __init__(self) -> None:
        self.listed = 0
        self.calls: list[tuple[str, str]] = []
        self.closed = False
        self.broken = False
        self.shelf: tuple[str, ...] = ("lend", "burn", "wait")
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.closed = True

    def insists(self, tool: Tool, /) -> bool:
        return isinstance(tool, McpTool) and not (tool.server_url or tool.connector_id)

    def check(self, tool: Tool, tenant: str, /) -> None:
        assert isinstance(tool, McpTool)
        if tool.server_url == "https://private.test":
            raise InvalidRequestError("no such address", param="server_url")

    async def functions(
        self, tool: Tool, tenant: str, known: Sequence[ToolFunction] | None, /
    ) -> Sequence[ToolFunction]:
        assert isinstance(tool, McpTool)
        if self.broken:
            raise ToolError("Error retrieving tool list from MCP server: 'library'")
        self.listed += known is None
        asks = tool.require_approval != "never"
        names = [one.name for one in known] if known is not None else self.shelf
        return [
            ToolFunction(
                name=name,
                description=f"{name}s a book",
                parameters=SCHEMA,
                read_only=name == "wait",
                needs_approval=asks or name == "burn",
            )
            for name in names
        ]

    def announce(self, invocation: Invocation, /) -> None:
        return None

    async def run(self, invocation: Invocation, /) -> ToolOutcome:
        self.calls.append((invocation.name, invocation.arguments))
        if invocation.name == "wait":
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        try:
            title = json.loads(invocation.arguments).get("title", "")
        except json.JSONDecodeError:
            error = {"type": "mcp_protocol_error", "code": -32602, "message": "no object"}
            return ToolOutcome(output="The call failed: no object", error=error)
        if title == "lost":
            error = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": "?"}]}
            return ToolOutcome(output="The call failed: ?", error=error)
        return ToolOutcome(output=f"lent {title}")


def calls(*made: tuple[str, dict[str, Any]], text: str = "", first: int = 0) -> Script:
    """Return a chat answer that says `text` and makes calls, the arguments in two pieces."""
    deltas: list[dict[str, Any]] = [{"content": text}] if text else []
    for index, (name, arguments) in enumerate(made):
        written = json.dumps(arguments)
        begun = {"name": name, "arguments": written[:5]}
        call = {"index": index, "id": f"call_{first + index}", "type": "function"}
        deltas += [{"tool_calls": [{**call, "function": begun}]}]
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": written[5:]}}]}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    chunks += [{"choices": [], "usage": usage}]
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return event_stream(*frames, b"data: [DONE]\n\n")


async def sent(upstream: ScriptedUpstream) -> dict[str, Any]:
    return (await upstream.received()).json()


def types(response: dict[str, Any]) -> list[str]:
    return [item["type"] for item in response["output"]]


def approval(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = {"type": "mcp_approval_response", "approval_request_id": request["id"]}
    return {**answer, "approve": True, **changes}


async def ask_for_approval(gateway: Gateway, **body: Any) -> dict[str, Any]:
    response = await gateway.ask(tools=[LIBRARY], **body)
    assert response["status"] == "completed"
    assert types(response)[-1] == "mcp_approval_request"
    return response
