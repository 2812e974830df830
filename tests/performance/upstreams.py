"""Upstreams that answer from memory, in the shape of OpenAI's two APIs: invented."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from gateway.plugin.deployment import Timeouts
from gateway.plugin.dialect import UpstreamRequest
from gateway.plugin.tools import Invocation, ToolFunction, ToolOutcome
from gateway.types.tools import Tool

__all__ = ["Glossary", "Memory", "calling_chunks", "chunks", "events", "whole"]

RESPONSE: Mapping[str, Any] = {
    "id": "resp_68d82b7c0f6c8190a1b2c3d4e5f6071829304a5b6c7d8e9f",
    "object": "response",
    "created_at": 1790000000,
    "status": "completed",
    "error": None,
    "model": "m-2026-04-23",
    "output": [
        {
            "type": "message",
            "id": "msg_68d82b7c0f6c8190",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "An invented answer. " * 20}],
        }
    ],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "tools": [],
    "usage": {"input_tokens": 12, "output_tokens": 80, "total_tokens": 92},
}


def whole() -> bytes:
    return json.dumps(RESPONSE).encode()


def events(count: int) -> list[bytes]:
    """Return the frames of a Responses stream."""

    def frame(kind: str, number: int, **members: object) -> bytes:
        data = json.dumps({"type": kind, "sequence_number": number, **members})
        return f"event: {kind}\ndata: {data}\n\n".encode()

    place = {"item_id": "msg_68d82b7c0f6c8190", "output_index": 0, "content_index": 0}
    started = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    middle = [
        frame("response.output_text.delta", number, **place, delta=" token", logprobs=[])
        for number in range(1, count - 1)
    ]
    return [
        frame("response.created", 0, response=started),
        *middle,
        frame("response.completed", count - 1, response=RESPONSE),
    ]


def chunks(count: int) -> list[bytes]:
    """Return the frames of a Chat Completions stream, the end marker not counted."""
    middle = [_chunk(content=" token") for _ in range(count - 2)]
    return [_chunk(role="assistant", content=""), *middle, _chunk("stop"), b"data: [DONE]\n\n"]


def calling_chunks() -> list[bytes]:
    """Return a Chat Completions stream that calls a function of the `Glossary`."""
    function = {"name": "look_up", "arguments": '{"term": "unicorn"}'}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    return [_chunk(tool_calls=[call]), _chunk("tool_calls"), b"data: [DONE]\n\n"]


def _chunk(finish_reason: str | None = None, **delta: object) -> bytes:
    head = {"id": "chatcmpl-BxYz0123456789", "object": "chat.completion.chunk", "model": "m"}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    data = json.dumps({**head, "created": 1790000000, "choices": [choice], "usage": None})
    return f"data: {data}\n\n".encode()


class Memory:
    """A transport whose answers are there at once, each in the pieces of one of `scripts`, which
    take turns.
    """

    def __init__(self, *scripts: Sequence[bytes], media: str = "text/event-stream") -> None:
        self._scripts = scripts
        self._headers = {"content-type": media, "x-request-id": "req_1", "date": "now"}
        self._asked = 0

    async def send(self, request: UpstreamRequest, timeouts: Timeouts, /) -> _Answer:
        script = self._scripts[self._asked % len(self._scripts)]
        self._asked += 1
        return _Answer(self._headers, script)

    async def aclose(self) -> None:
        pass


class _Answer:
    """One answer: a piece for each `chunk`."""

    status = 200

    def __init__(self, headers: Mapping[str, str], pieces: Sequence[bytes]) -> None:
        self.headers = headers
        self._pieces = iter(pieces)
        self._left = len(pieces)

    @property
    def ended(self) -> bool:
        return not self._left

    async def chunk(self) -> bytes:
        self._left -= self._left > 0
        return next(self._pieces, b"")

    async def body(self) -> bytes:
        return b"".join(self._pieces)

    def close(self) -> None:
        pass


class Glossary:
    """Runs a tool that explains any term with the same words."""

    types: ClassVar[frozenset[str]] = frozenset({"glossary"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        pass

    def insists(self, tool: Tool, /) -> bool:
        return True

    def check(self, tool: Tool, tenant: str, /) -> None:
        pass

    async def functions(
        self, tool: Tool, tenant: str, known: Sequence[ToolFunction] | None, /
    ) -> Sequence[ToolFunction]:
        return [ToolFunction(name="look_up", description="Explain a term.")]

    def announce(self, invocation: Invocation, /) -> None:
        return None

    async def run(self, invocation: Invocation, /) -> ToolOutcome:
        return ToolOutcome(output="A horse with a horn.")
