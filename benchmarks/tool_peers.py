"""A model that calls a tool, the MCP server that has it, and one that never answers.

    python benchmarks/tool_peers.py PORT DEAD_PORT

On PORT a chat model (`/v1/chat/completions`) calls the first tool that it is given, once, and says
something then, in a burst or (`/paced/v1/...`) word by word for two seconds; an MCP server of
2026-07-28 (`/mcp`) has a tool that repeats a word. Both cost next to nothing. On DEAD_PORT
connections are taken, and nothing is ever said. What is said is invented.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import uvloop

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
WORDS = 50
PACE = 0.04  # seconds between two words
TOOL = {
    "name": "repeat",
    "description": "Repeats a word.",
    "inputSchema": {"type": "object", "properties": {"word": {"type": "string"}}},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "server/discover": {"supportedVersions": ["2026-07-28"]},
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": "a word"}]},
}


def completion(*deltas: dict[str, Any], finish: str) -> list[bytes]:
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    pieces = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in (*frames, b"data: [DONE]\n\n")]
    return [STREAM, *pieces, b"0\r\n\r\n"]


@cache
def story() -> list[bytes]:
    return completion(*[{"content": " token"}] * WORDS, finish="stop")


@cache
def call(name: str) -> list[bytes]:
    function = {"name": name, "arguments": '{"word": "hello"}'}
    made = {"index": 0, "id": "call_1", "type": "function", "function": function}
    return completion({"tool_calls": [made]}, finish="tool_calls")


def tell(body: bytes) -> list[bytes]:
    """Return what the model says to a request."""
    asked = json.loads(body)
    if asked["messages"][-1]["role"] == "tool" or not asked.get("tools"):
        return story()
    return call(asked["tools"][0]["function"]["name"])


def serve(body: bytes) -> bytes:
    """Return what the MCP server answers."""
    asked = json.loads(body)
    result = {"resultType": "complete", **ANSWERS[asked["method"]]}
    answer = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode()
    return HEAD % (b"application/json", len(answer), answer)


class Peer(asyncio.Protocol):
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
            if head.startswith(b"POST /mcp"):
                self.transport.write(serve(body))
            elif head.startswith(b"POST /paced/"):
                self.write_on(iter(tell(body)))
            else:
                self.transport.write(b"".join(tell(body)))

    def write_on(self, pieces: Iterator[bytes]) -> None:
        piece = next(pieces, None)
        if piece is not None and not self.transport.is_closing():
            self.transport.write(piece)
            wait = PACE if b" token" in piece else 0.0
            asyncio.get_running_loop().call_later(wait, self.write_on, pieces)


async def main(port: int, dead_port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(asyncio.Protocol, "127.0.0.1", dead_port)
    server = await loop.create_server(Peer, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


uvloop.run(main(*map(int, sys.argv[1:])))
