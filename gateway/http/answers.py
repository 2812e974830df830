"""Sending a whole answer, through whatever ASGI server runs us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.types import Message, Send

from gateway.core.exchange import Whole

__all__ = ["END", "json_answer", "raw_headers", "send_whole", "whole_messages"]

END: Message = {"type": "http.response.body", "body": b""}
"""What ends an answer."""

_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


def json_answer(value: Any, *, status: int = 200) -> Whole:
    """Return `value` as an answer in JSON."""
    return Whole(body=_encode(value), status=status)


def whole_messages(answer: Whole) -> tuple[Message, Message]:
    """Return the two ASGI messages that send `answer`: JSON, unless its headers differ."""
    headers = raw_headers(answer.headers)
    if "content-type" not in answer.headers:
        headers.append(_JSON)
    headers.append((b"content-length", b"%d" % len(answer.body)))
    return (
        {"type": "http.response.start", "status": answer.status, "headers": headers},
        {"type": "http.response.body", "body": answer.body},
    )


async def send_whole(answer: Whole, send: Send) -> None:
    for message in whole_messages(answer):
        await send(message)


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return `headers` as ASGI wants them; their names are in lower case already."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
