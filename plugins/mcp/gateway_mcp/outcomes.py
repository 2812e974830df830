"""What a call came to, in the words of the API: outputs for the model, errors for the client."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

import msgspec

from gateway.errors import ToolError
from gateway.plugin import ToolOutcome
from gateway.types.wire import JsonObject
from gateway_mcp.connection import CallResult, McpError, McpHttpError, McpProtocolError
from gateway_mcp.credentials import without_secrets
from gateway_mcp.peer import McpTimeoutError

__all__ = ["Outcomes", "listing_error"]

_STATUSES = frozenset(HTTPStatus)
_UNREACHABLE = HTTPStatus.BAD_GATEWAY.value
_TIMEOUT = HTTPStatus.GATEWAY_TIMEOUT.value
_PAYLOADS = ("data", "blob")
_FOR_PROGRAMS = frozenset({*_PAYLOADS, "annotations", "_meta", "icons"})


class Outcomes:
    """Makes the outcomes of calls, at most `limit` bytes each and without any of `secrets`."""

    def __init__(self, *, limit: int, secrets: frozenset[str]) -> None:
        self._limit = limit
        self._secrets = secrets

    def of_result(self, result: CallResult) -> ToolOutcome:
        """Return what the server gave back: its texts, a line each.

        Pictures, sounds and files are told of, without their bytes. Structured content counts only
        where there is nothing else, because servers repeat it as text.
        """
        blocks = [_described(block) for block in result.content]
        output = "\n".join(_text(block) for block in blocks)
        if not blocks and result.structured is not None:
            output = _json(result.structured)
        output = self._cut(output)
        if not result.is_error:
            return ToolOutcome(output=output)
        content = self._content(blocks, output)
        error = {"type": "mcp_tool_execution_error", "content": content}
        return ToolOutcome(output=output, error=error)

    def of_error(self, error: McpError) -> ToolOutcome:
        """Return what becomes of a server that did not answer the call."""
        match error:
            case McpProtocolError():
                return self.of_refusal(error.code, error.message)
            case McpHttpError():
                return self._failure("http_error", error.status, error.message)
            case McpTimeoutError():
                return self._failure("http_error", _TIMEOUT, error.message)
            case _:
                return self._failure("http_error", _UNREACHABLE, error.message)

    def of_refusal(self, code: int, message: str) -> ToolOutcome:
        """Return the outcome of a call that breaks the protocol; `code` is JSON-RPC's."""
        return self._failure("mcp_protocol_error", code, message)

    def _failure(
        self, kind: Literal["mcp_protocol_error", "http_error"], code: int, message: str
    ) -> ToolOutcome:
        told = self._cut(message)
        return ToolOutcome(output=told, error={"type": kind, "code": code, "message": told})

    def _content(self, blocks: list[JsonObject], output: str) -> list[JsonObject]:
        encoded = without_secrets(_json(blocks), self._secrets)
        if len(encoded.encode()) > self._limit:
            return [{"type": "text", "text": output}]
        return msgspec.json.decode(encoded, type=list[JsonObject])

    def _cut(self, text: str) -> str:
        told = without_secrets(text, self._secrets)
        encoded = told.encode()
        if len(encoded) <= self._limit:
            return told
        kept = encoded[: self._limit].decode(errors="ignore")
        return f"{kept}\n[cut off here: the output has {len(encoded)} bytes]"


def listing_error(label: str, error: McpError, secrets: frozenset[str]) -> ToolError:
    """Return the error of a server that does not say which tools it has, worded like OpenAI's."""
    reason = without_secrets(error.message, secrets)
    if isinstance(error, McpHttpError):
        reason = f"Http status code: {error.status}{_phrase(error.status)}"
    return ToolError(
        f"Error retrieving tool list from MCP server: '{label}'. {reason}", param="tools"
    )


def _phrase(status: int) -> str:
    return f" ({HTTPStatus(status).phrase})" if status in _STATUSES else ""


def _described(block: JsonObject) -> JsonObject:
    """Return `block` without what no model reads; of a payload, its size in bytes is left."""
    told = {name: value for name, value in block.items() if name not in _FOR_PROGRAMS}
    for payload in _PAYLOADS:
        if isinstance(block.get(payload), str):
            told["bytes"] = len(block[payload]) * 3 // 4  # it is base64
    if isinstance(block.get("resource"), dict):
        told["resource"] = _described(block["resource"])
    return told


def _text(block: JsonObject) -> str:
    holder: JsonObject = block["resource"] if isinstance(block.get("resource"), dict) else block
    return holder["text"] if isinstance(holder.get("text"), str) else _json(block)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
