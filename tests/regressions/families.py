"""A gateway in front of Claude, of Gemini and of Bedrock, and what these are said to answer.

What they say is invented, in the shapes of their documentation.
"""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from gateway.config import Config, ModelEntry, Secret, StateSettings
from gateway.core.engine import Engine
from gateway.plugin.manager import Plugins
from gateway.testing import Script, ScriptedUpstream, event_stream

from .conftest import Gateway, Json

ROWS = {
    "claude": "anthropic/claude-sonnet-4-5",
    "other claude": "anthropic/claude-opus-4-5",
    "new claude": "anthropic/claude-opus-9",
    "gemini": "gemini/gemini-3-flash-preview",
    "old gemini": "gemini/gemini-2.5-flash",
    "bedrock": "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
}
WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
USER: Json = {"role": "user", "content": "?"}
CLAUDE_USAGE = {"input_tokens": 3, "output_tokens": 4}
GEMINI_USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
BEDROCK_USAGE = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
# The member of a block that arrives in pieces, and the kind of the pieces.
IN_PIECES = {
    "text": ("text", "text_delta", "text"),
    "thinking": ("thinking", "thinking_delta", "thinking"),
    "tool_use": ("input", "input_json_delta", "partial_json"),
}
EMPTY = {"text": "", "thinking": "", "input": {}}


@asynccontextmanager
async def serving(directory: Path) -> AsyncGenerator[tuple[Gateway, ScriptedUpstream]]:
    """Yield a gateway that has `ROWS` as its models, and the upstream of all of them."""
    async with ScriptedUpstream() as upstream:
        models = tuple(
            ModelEntry(
                name=name,
                model=model,
                base_url=upstream.url + ("/v1beta" if "gemini" in model else ""),
                api_key=Secret("sk-invented"),
                retries=0,
            )
            for name, model in ROWS.items()
        )
        secret = Secret("a secret of the tests, long enough")
        config = Config(models=models, state=StateSettings(directory=directory, secret=secret))
        async with Engine(config, Plugins()) as engine:
            yield Gateway(engine, upstream), upstream


def claude(*blocks: Json, usage: Mapping[str, Any] = CLAUDE_USAGE, stop: str = "") -> Script:
    """Return a stream of `blocks`; a signature comes by itself, after all that it signs."""
    calls = any(block["type"] == "tool_use" for block in blocks)
    why = stop or ("tool_use" if calls else "end_turn")
    message = {"id": "msg_1", "role": "assistant", "content": [], "usage": CLAUDE_USAGE}
    frames = [frame("message_start", message=message)]
    for index, block in enumerate(blocks):
        frames += [frame(index=index, **event) for event in events_of(block)]
    frames += [
        frame("message_delta", delta={"stop_reason": why, "stop_sequence": None}, usage=usage),
        frame("message_stop"),
    ]
    return event_stream(*frames)


def frame(type: str, **members: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **members})}\n\n".encode()


def events_of(block: Json) -> Iterator[Json]:
    """Yield how a block is told: from its beginning, which is empty, to its end."""
    name, kind, piece = IN_PIECES.get(block["type"], ("", "", ""))
    empty = {name: EMPTY[name]} if name else {}
    signature = {"signature": ""} if "signature" in block else {}
    yield {"type": "content_block_start", "content_block": {**block, **empty, **signature}}
    said = json.dumps(block["input"]) if name == "input" else block.get(name, "")
    for part in (said[:5], said[5:]) if name else ():
        yield {"type": "content_block_delta", "delta": {"type": kind, piece: part}}
    if signature:
        delta = {"type": "signature_delta", "signature": block["signature"]}
        yield {"type": "content_block_delta", "delta": delta}
    yield {"type": "content_block_stop"}


def gemini(*parts: Json, usage: Mapping[str, Any] = GEMINI_USAGE) -> Script:
    """Return a stream that tells each part by itself."""
    told: list[Json] = [
        {"content": {"role": "model", "parts": [part]}, "index": 0} for part in parts
    ]
    told.append({"content": {"role": "model"}, "finishReason": "STOP", "index": 0})
    chunks = [{"candidates": [candidate], "usageMetadata": usage} for candidate in told]
    return gemini_chunks(*chunks)


def gemini_chunks(*chunks: Mapping[str, Any]) -> Script:
    return event_stream(*(f"data: {json.dumps(chunk)}\r\n\r\n".encode() for chunk in chunks))


def bedrock(*blocks: Json, usage: Mapping[str, Any] = BEDROCK_USAGE) -> Script:
    """Return an event stream of `blocks`: reasoning, with its signature at the end, and calls."""
    frames = [message("messageStart", role="assistant")]
    for index, block in enumerate(blocks):
        for start in [block["toolUse"]] if "toolUse" in block else []:
            named = {name: start[name] for name in ("toolUseId", "name")}
            begun = {"contentBlockIndex": index, "start": {"toolUse": named}}
            frames.append(message("contentBlockStart", **begun))
        deltas = [{"contentBlockIndex": index, "delta": delta} for delta in deltas_of(block)]
        frames += [message("contentBlockDelta", **delta) for delta in deltas]
        frames.append(message("contentBlockStop", contentBlockIndex=index))
    why = "tool_use" if any("toolUse" in block for block in blocks) else "end_turn"
    frames += [message("messageStop", stopReason=why), message("metadata", usage=usage)]
    kind = {"content-type": "application/vnd.amazon.eventstream"}
    return Script(headers=kind, body=tuple(frames), framing="chunked")


def deltas_of(block: Json) -> Iterator[Json]:
    reasoning = block.get("reasoningContent") or {}
    for name, value in reasoning.get("reasoningText", reasoning).items():
        yield {"reasoningContent": {name: value}}
    if "toolUse" in block:
        yield {"toolUse": {"input": json.dumps(block["toolUse"]["input"])}}
    if "text" in block:
        yield {"text": block["text"]}


def message(kind: str, **members: Any) -> bytes:
    """Return one message of an AWS event stream."""
    names = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    headers = b"".join(
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", 7, len(value))
        + value.encode()
        for name, value in names.items()
    )
    data = json.dumps(members).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    body = prelude + struct.pack(">I", crc32(prelude)) + headers + data
    return body + struct.pack(">I", crc32(body))
