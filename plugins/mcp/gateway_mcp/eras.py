"""What every request carries, in either era of the protocol.

Up to 2025-11-25 a client introduces itself with `initialize`, and the server may answer with a
session that all else belongs to. Since 2026-07-28 there are no sessions: each request says by
itself who asks and in which revision, in its `_meta` and, over HTTP, in its headers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from msgspec import Struct

from gateway.types.wire import JsonObject
from gateway_mcp.connection import McpProtocolError
from gateway_mcp.messages import INVALID_ANSWER

__all__ = [
    "LATEST_HANDSHAKE",
    "MODERN",
    "UNSUPPORTED_VERSION",
    "Discovered",
    "Initialized",
    "encode_header",
    "handshake_version",
    "initialize_params",
    "modern_headers",
    "modern_params",
    "speaks_modern",
]

MODERN = "2026-07-28"
LATEST_HANDSHAKE = "2025-11-25"
UNSUPPORTED_VERSION = -32022
"""The JSON-RPC error with which a modern server refuses a revision that it does not speak."""

_HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", LATEST_HANDSHAKE)
_CLIENT = {"name": "responses-gateway", "version": "0.1.0"}
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": _CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
_PLAIN = re.compile(r"(?! )[\x20-\x7e]*(?<! )")
_ENCODED = re.compile(r"=\?base64\?.*\?=")


class Initialized(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of `initialize`."""

    protocol_version: str


class Discovered(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of `server/discover`."""

    supported_versions: tuple[str, ...]


def initialize_params() -> JsonObject:
    return {"protocolVersion": LATEST_HANDSHAKE, "capabilities": {}, "clientInfo": _CLIENT}


def handshake_version(initialized: Initialized) -> str:
    """Return the revision that the server has chosen. Raises `McpProtocolError` if it is none."""
    if initialized.protocol_version not in _HANDSHAKES:
        raise McpProtocolError(
            INVALID_ANSWER, "the server speaks a revision of MCP that is not known here"
        )
    return initialized.protocol_version


def speaks_modern(discovered: Discovered) -> bool:
    return MODERN in discovered.supported_versions


def modern_params(params: JsonObject) -> JsonObject:
    return {**params, "_meta": _META}


def modern_headers(method: str, params: JsonObject) -> Mapping[str, str]:
    """Return what a request says of itself in its headers, for those who only route it."""
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if method == "tools/call":
        headers["Mcp-Name"] = encode_header(params["name"])
    return headers


def encode_header(value: str) -> str:
    """Write any text so that it survives as the value of a header."""
    if _PLAIN.fullmatch(value) and not _ENCODED.fullmatch(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="
