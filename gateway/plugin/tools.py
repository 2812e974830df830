"""The tool runner contract: tools that the gateway runs itself, whichever model calls them.

A tool of a request, such as an MCP server, stands for functions. The model sees these functions;
when it calls one, the gateway runs it, tells the client what happened, and gives the model the
output, until the model has said what it had to say. All of that is one response.

A runner knows its tools and nothing of models, streams or state. It is shared by all requests of
the process, and may keep connections from its start to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol

from msgspec import Struct

from gateway.types.items import OutputItem
from gateway.types.tools import Tool
from gateway.types.wire import JsonObject

__all__ = ["Invocation", "Source", "ToolFunction", "ToolOutcome", "ToolRunner"]


class ToolFunction(Struct, frozen=True, kw_only=True):
    """One function of a tool. `parameters` is the JSON Schema of its arguments.

    `read_only` is what the tool says of it, None if it says nothing. `needs_approval` says that
    the client has to agree to each call.
    """

    name: str
    description: str = ""
    parameters: Any = None
    read_only: bool | None = None
    needs_approval: bool = False


class Invocation(Struct, frozen=True, kw_only=True):
    """One call of the function `name` of `tool` for `tenant`; `arguments` is JSON text as the model
    wrote it, which need not be valid.
    """

    tool: Tool
    name: str
    arguments: str
    tenant: str


class Source(Struct, frozen=True, kw_only=True):
    """Where an output comes from. The model's answer cites it wherever it writes the URL."""

    url: str
    title: str = ""


class ToolOutcome(Struct, frozen=True, kw_only=True):
    """What a call came to: `output` is what the model reads, of a failure too.

    `error` says that the call failed, in the shape of the `error` of an `mcp_call`: an object with
    a `type` of `mcp_protocol_error`, `mcp_tool_execution_error` or `http_error`. `item` is the
    output item that tells the client of the call, where `announce` gave one.
    """

    output: str
    error: JsonObject | None = None
    item: OutputItem | None = None
    sources: tuple[Source, ...] = ()


class ToolRunner(AbstractAsyncContextManager["ToolRunner"], Protocol):
    """Runs the tools of some types, offered by the hook `gateway_tool_runners`.

    Entered when the gateway starts, and left when it stops. Whatever a method waits for may be
    cancelled: when a client leaves, or when a limit of the operator's is reached.
    """

    types: ClassVar[frozenset[str]]
    """The types of tools that it runs, such as `mcp`."""

    def insists(self, tool: Tool, /) -> bool:
        """Say whether the gateway has to run `tool` even where the upstream could do so itself."""
        ...

    def check(self, tool: Tool, tenant: str, /) -> None:
        """Raise `InvalidRequestError` for a tool that can never be run for `tenant`.

        `param` of the error is the member that is wrong, such as `server_url`, or None.
        """
        ...

    async def functions(
        self, tool: Tool, tenant: str, known: Sequence[ToolFunction] | None, /
    ) -> Sequence[ToolFunction]:
        """Return what the model may call.

        `known` is what an earlier listing says, which is in the context: a runner that trusts it
        need not ask again, but still says which of these may be called, and which need approval.
        Raises `ToolError` if the tool does not answer.
        """
        ...

    def announce(self, invocation: Invocation, /) -> OutputItem | None:
        """Return the output item that tells the client of a call which is about to be made, in
        progress; None if the gateway is to write it, as it does for MCP.
        """
        ...

    async def run(self, invocation: Invocation, /) -> ToolOutcome:
        """Make a call. A call that fails is an outcome too, and no exception."""
        ...
