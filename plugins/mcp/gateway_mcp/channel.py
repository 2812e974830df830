"""What every transport of MCP is to the conversation above it."""

from __future__ import annotations

from typing import Protocol

from msgspec import Raw

from gateway.types.wire import JsonObject
from gateway_mcp.connection import McpHttpError
from gateway_mcp.messages import Request

__all__ = ["Channel", "SessionExpiredError"]


class SessionExpiredError(McpHttpError):
    """The server has forgotten `session`: the client has to introduce itself again."""

    def __init__(self, session: str) -> None:
        super().__init__(404, "the server has ended the session")
        self.session = session


class Channel(Protocol):
    """Carries requests to one server and brings their results.

    `version` is the revision that is spoken, empty until it is agreed on. Raises the errors of
    `gateway_mcp.connection`, and `SessionExpiredError`. A request that is cancelled is called off.
    """

    version: str

    @property
    def alive(self) -> bool: ...

    @property
    def stateless(self) -> bool:
        """Whether the transport can do without a handshake."""
        ...

    @property
    def session(self) -> str:
        """The session that the server has given, if it has."""
        ...

    async def open(self) -> None: ...

    async def request(self, request: Request, /) -> Raw: ...

    async def notify(self, method: str, params: JsonObject | None = None, /) -> None: ...

    async def aclose(self) -> None: ...
