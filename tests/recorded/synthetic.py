"""What vendors are said to answer, and no recording has: all of it is invented, and their shapes
are those of their documentation.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from gateway.testing import Script, Step, event_stream

Json = dict[str, Any]
TEXT = "Once upon a time"


def claude_event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def claude_error(kind: str, message: str) -> bytes:
    return claude_event("error", error={"type": kind, "message": message})


def claude_beginning() -> list[bytes]:
    message = {"id": "msg_1", "role": "assistant", "model": "m", "content": []}
    usage = {"input_tokens": 3, "output_tokens": 1}
    return [claude_event("message_start", message={**message, "usage": usage})]


def claude_words(text: str = TEXT) -> list[bytes]:
    """Return a text that is not at its end."""
    start = claude_event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    delta = {"type": "text_delta", "text": text}
    return [start, claude_event("content_block_delta", index=0, delta=delta)]


def gemini_chunk(*parts: Mapping[str, Any], finish: str | None = None, **members: Any) -> bytes:
    """Return a piece of an answer; `members` are those of its candidate."""
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **members}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
    return gemini_frame({"candidates": [candidate], "usageMetadata": usage})


def gemini_frame(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\r\n\r\n".encode()


def gemini_error(code: int, status: str, message: str, *details: Json) -> Json:
    error = {"code": code, "status": status, "message": message, "details": list(details)}
    return {"error": error}


def bedrock_message(payload: Any, **headers: str) -> bytes:
    """Return one message of an AWS event stream; `event_type="x"` is the header `:event-type`."""
    named = b"".join(header(f":{name.replace('_', '-')}", value) for name, value in headers.items())
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(named) + len(data), len(named))
    message = prelude + struct.pack(">I", crc32(prelude)) + named + data
    return message + struct.pack(">I", crc32(message))


def header(name: str, value: str) -> bytes:
    return (
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", 7, len(value))
        + value.encode()
    )


def bedrock_event(kind: str, **members: Any) -> bytes:
    kinds = {"message_type": "event", "event_type": kind, "content_type": "application/json"}
    return bedrock_message(members, **kinds)


def bedrock_exception(kind: str, message: str) -> bytes:
    kinds = {"message_type": "exception", "exception_type": kind}
    return bedrock_message({"message": message}, **kinds, content_type="application/json")


def bedrock_words(text: str = TEXT) -> list[bytes]:
    return [bedrock_event("contentBlockDelta", contentBlockIndex=0, delta={"text": text})]


def beginning(provider: str, *, words: bool) -> list[bytes]:
    """Return how an answer begins, if need be with the first words of a text."""
    match provider:
        case "anthropic":
            return [*claude_beginning(), *(claude_words() if words else ())]
        case "bedrock":
            start = bedrock_event("messageStart", role="assistant")
            return [start, *(bedrock_words() if words else ())]
        case _:
            return [gemini_chunk({"text": TEXT})] if words else []


def stream_of(provider: str, *body: Step) -> Script:
    """Return a stream as the provider frames it."""
    if provider == "bedrock":
        kind = "application/vnd.amazon.eventstream"
        return Script(headers={"content-type": kind}, body=body, framing="chunked")
    return event_stream(*body)
