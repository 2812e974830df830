"""An upstream that costs next to nothing: every answer is made beforehand.

    python benchmarks/upstream.py PORT

It speaks Responses (`/108/v1/responses`) and Chat Completions (`/108/v1/chat/completions`). The
first segment of the path says how many events a streamed answer has. A stream goes out in one
burst, or with `/108-paced/` one event at a time. The events are invented, in OpenAI's shape.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import cache

import uvloop

RESPONSE = {
    "id": "resp_68d82b7c0f6c8190a1b2c3d4e5f6071829304a5b6c7d8e9f",
    "object": "response",
    "created_at": 1790000000,
    "status": "completed",
    "error": None,
    "model": "gpt-4o-2024-08-06",
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
    "usage": {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 80,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 92,
    },
}


def frame(kind: str, number: int, **fields: object) -> bytes:
    data = json.dumps({"type": kind, "sequence_number": number, **fields})
    return f"event: {kind}\ndata: {data}\n\n".encode()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
PACE = 0.004
"""Seconds between two events of a paced stream."""


def responses(events: int) -> list[bytes]:
    item = {"item_id": "msg_68d82b7c0f6c8190", "output_index": 0, "content_index": 0}
    started = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    frames = [frame("response.created", 0, response=started)]
    frames += [
        frame("response.output_text.delta", number, **item, delta=" token", logprobs=[])
        for number in range(1, events - 1)
    ]
    frames.append(frame("response.completed", events - 1, response=RESPONSE))
    return frames


def completions(events: int) -> list[bytes]:
    """Return as many chunks as `responses` returns events, and the end marker."""
    head = {"id": "chatcmpl-BxYz0123456789", "object": "chat.completion.chunk", "model": "gpt-4o"}

    def chunk(finish_reason: str | None = None, **delta: str) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        data = json.dumps({**head, "created": 1790000000, "choices": [choice], "usage": None})
        return f"data: {data}\n\n".encode()

    frames = [chunk(role="assistant", content="")]
    frames += [chunk(content=" token") for _ in range(events - 2)]
    return [*frames, chunk("stop"), b"data: [DONE]\n\n"]


@cache
def stream(path: str) -> list[bytes]:
    """Return the pieces of the answer to a request for `path`, its head first."""
    _, size, api = path.split("/", 2)
    make = completions if api.endswith("completions") else responses
    frames = make(int(size.removesuffix("-paced")))
    return [HEAD, *(b"%x\r\n%s\r\n" % (len(part), part) for part in frames), END]


@cache
def whole() -> bytes:
    body = json.dumps(RESPONSE).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


class Upstream(asyncio.Protocol):
    """Answers each request as soon as its body is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, rest = self.received.partition(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            if len(rest) < length:
                return
            body, self.received = rest[:length], rest[length:]
            self.answer(head.split(b" ", 2)[1].decode(), streamed=b'"stream"' in body)

    def answer(self, path: str, *, streamed: bool) -> None:
        if not streamed:
            self.transport.write(whole())
        elif "-paced/" in path:
            self.write_on(iter(stream(path)))
        else:
            self.transport.write(b"".join(stream(path)))

    def write_on(self, pieces: Iterator[bytes]) -> None:
        piece = next(pieces, None)
        if piece is not None and not self.transport.is_closing():
            self.transport.write(piece)
            asyncio.get_running_loop().call_later(PACE, self.write_on, pieces)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


uvloop.run(main())
