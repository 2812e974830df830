"""What a client of MCP servers is to those who use it: endpoints, connections, and their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct

from gateway.types.wire import JsonObject

__all__ = [
    "CallResult",
    "Connection",
    "Connector",
    "Endpoint",
    "HttpEndpoint",
    "Limits",
    "ListedTool",
    "McpError",
    "McpHttpError",
    "McpProtocolError",
    "McpUnreachableError",
    "ProcessEndpoint",
]


class HttpEndpoint(Struct, frozen=True, kw_only=True):
    """A server at a URL. `http` is streamable HTTP, `sse` the older HTTP with server-sent events.

    `headers` hold the credentials, and printing it shows none. `private` lets the server have an
    address that only this machine or its network can reach.
    """

    url: str
    transport: Literal["http", "sse"] = "http"
    headers: Mapping[str, str] = {}
    private: bool = False

    def __repr__(self) -> str:
        return f"HttpEndpoint({self.transport}, {len(self.headers)} headers)"


class ProcessEndpoint(Struct, frozen=True, kw_only=True):
    """A server that is started as `command` and spoken to over its standard streams.

    `environment` is all that the process gets: the gateway's own is not handed on.
    """

    command: str
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"ProcessEndpoint({self.command!r})"


Endpoint = HttpEndpoint | ProcessEndpoint


class Limits(Struct, frozen=True, kw_only=True):
    """How much a server may send: bytes of an answer or a listing, pages of it, and tools in it.

    `connect_seconds` is for the TCP and TLS handshake alone, and `probe_seconds` for the question
    whether a server knows the newest revision, after which it is taken for an older one. How long a
    whole operation may take is up to its caller, who cancels it.
    """

    answer_bytes: int = 4 * 1024 * 1024
    pages: int = 100
    tools: int = 1000
    connect_seconds: float = 10.0
    probe_seconds: float = 5.0


class ListedTool(Struct, frozen=True, kw_only=True):
    """One tool as its server describes it. `input_schema` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    input_schema: JsonObject = {}
    read_only: bool | None = None


class CallResult(Struct, frozen=True, kw_only=True):
    """What a tool gave back: content blocks as they came, structured content if any, and whether
    the tool says that it failed.
    """

    content: tuple[JsonObject, ...] = ()
    structured: Any = None
    is_error: bool = False


class McpError(Exception):
    """A server could not be used. `message` holds no credential, no address and no query."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class McpProtocolError(McpError):
    """The server answered with a JSON-RPC error, or with what the protocol does not allow."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class McpHttpError(McpError):
    """The server answered with an HTTP status that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class McpUnreachableError(McpError):
    """No connection to the server, or one that broke before the answer was whole."""


class Connection(Protocol):
    """One server, spoken to with one set of credentials; any number of tasks may use it at once.

    Every operation may be cancelled, which tells the server so, and raises the errors above.
    """

    @property
    def alive(self) -> bool:
        """False once the connection can no longer be used, and another has to be opened."""
        ...

    @property
    def ttl(self) -> float | None:
        """How many seconds the last listing holds, if the server says so."""
        ...

    async def list_tools(self) -> tuple[ListedTool, ...]:
        """Return the tools of all pages of the listing."""
        ...

    async def call_tool(self, name: str, arguments: JsonObject, /) -> CallResult:
        """Call a tool. A failure of the tool itself is a result, and no error."""
        ...

    async def aclose(self) -> None:
        """Say goodbye as far as the server can hear it, and let go of everything."""
        ...


class Connector(Protocol):
    """Opens connections; entered before the first, and left after the last."""

    async def connect(self, endpoint: Endpoint, /) -> Connection:
        """Find out which revision of the protocol the server speaks, and open a connection."""
        ...
