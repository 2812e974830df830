"""An MCP server as one tool of a request means it: where it is, and what may be done with it."""

from __future__ import annotations

from msgspec import Struct

from gateway_mcp.connection import Endpoint
from gateway_mcp.policy import Allowed, Approval

__all__ = ["Server"]


class Server(Struct, frozen=True, kw_only=True):
    """A server that the client calls `label`.

    `owner` is the tenant that alone uses its connections, empty if all share them. `allowed` and
    `policies` all count. `listed` says that its own listing decides which tools there are, whatever
    the client brings. Connecting and listing may take `seconds`. `secrets` must not be told to
    anybody, by whatever the server answers either; printing a server shows none of them.
    """

    label: str
    endpoint: Endpoint
    owner: str
    allowed: tuple[Allowed, ...]
    policies: tuple[Approval, ...]
    listed: bool
    seconds: float
    secrets: frozenset[str]

    def __repr__(self) -> str:
        return f"Server({self.label!r}, {self.endpoint!r})"
