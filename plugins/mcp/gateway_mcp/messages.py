"""JSON-RPC, without I/O: requests and notifications to bytes, and bytes to messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from gateway.types.wire import JsonObject
from gateway_mcp.connection import McpProtocolError

__all__ = [
    "INVALID_ANSWER",
    "Failure",
    "Message",
    "Request",
    "decode",
    "decode_result",
    "encode_notification",
    "encode_reply",
    "encode_request",
    "failed",
    "without",
]

T = TypeVar("T")

INVALID_ANSWER = -32700
"""The code of our own errors about what a server sent: it cannot be read."""

_NOT_OFFERED = {"code": -32601, "message": "the client does not offer this"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST_MESSAGE = 1000
_DEEPEST = 100
"""How deeply JSON may be nested: what is kept is encoded again, wherever the stack stands then."""


class Request(Struct, frozen=True, kw_only=True):
    """What is asked of a server; `headers` are for transports that have any."""

    method: str
    params: JsonObject = {}
    headers: Mapping[str, str] = {}


class Failure(Struct, frozen=True, kw_only=True):
    """The `error` of an answer."""

    code: int = INVALID_ANSWER
    message: str = ""
    data: Any = None


class Message(Struct, frozen=True, kw_only=True):
    """A request (`id` and `method`), a notification (`method`) or an answer (`id`)."""

    id: int | float | str | None = None
    method: str | None = None
    result: Raw = Raw()
    error: Failure | None = None


_decoder = msgspec.json.Decoder(Message | tuple[Message, ...])
_encoder = msgspec.json.Encoder()


def encode_request(number: int, request: Request) -> bytes:
    return _encode({"id": number, "method": request.method, "params": request.params})


def encode_notification(method: str, params: JsonObject | None = None) -> bytes:
    return _encode({"method": method} | ({"params": params} if params else {}))


def encode_reply(request: Message) -> bytes:
    """Answer a request of the server's: it may ask whether we live, and for nothing else."""
    if request.method == "ping":
        return _encode({"id": request.id, "result": {}})
    return _encode({"id": request.id, "error": _NOT_OFFERED})


def decode(data: bytes) -> tuple[Message, ...]:
    """Read one message, or a batch of them. Raises `McpProtocolError`."""
    try:
        messages = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise McpProtocolError(INVALID_ANSWER, "the server sent what is not JSON-RPC") from error
    return (messages,) if isinstance(messages, Message) else messages


def decode_result(result: Raw, shape: type[T]) -> T:
    """Read a result as `shape`. Raises `McpProtocolError` if it is not, or nested too deeply."""
    try:
        value = msgspec.json.decode(result)
        _check_depth(value)
        return msgspec.convert(value, shape)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise McpProtocolError(
            INVALID_ANSWER, "the server sent a result that the protocol does not have"
        ) from error


def failed(failure: Failure, hidden: frozenset[str]) -> McpProtocolError:
    """Return the error that `failure` is, in one line without what is to be `hidden`."""
    text = _CONTROL.sub(" ", without(hidden, failure.message))[:_LONGEST_MESSAGE]
    return McpProtocolError(failure.code, text or "the server did not say why")


def without(hidden: frozenset[str], text: str) -> str:
    """Return `text` with stars for what is to be `hidden`, where one secret may hold another."""
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _encode(message: JsonObject) -> bytes:
    return _encoder.encode({"jsonrpc": "2.0", **message})


def _check_depth(value: Any) -> None:
    """Go through `value` level by level."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise McpProtocolError(INVALID_ANSWER, "the server sent JSON that is nested too deeply")


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - any JSON
    return value if isinstance(value, list) else ()  # pyright: ignore[reportUnknownVariableType] - any JSON
