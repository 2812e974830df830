"""What the tests of answers share: blocks of Claude's in, events and items out."""

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest

from gateway.errors import GatewayError
from gateway.plugin import SSEDecoder, WholeBody
from gateway.stream.assembler import Assembler
from gateway.stream.lifecycle import violations
from gateway.testing.cases import call_of
from gateway.types.request import Request, decode_request
from gateway.types.response import Response, start_response
from gateway_anthropic import AnthropicDialect

Block = dict[str, Any]
DIALECT = AnthropicDialect()
PIECES = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "signature": ("signature_delta", "signature"),
    "content": ("compaction_delta", "content"),
}


class Outcome(NamedTuple):
    """What became of the answers to one call."""

    events: list[Any]
    response: Response
    error: GatewayError | None
    asked: list[Block]
    """The bodies of the requests that went on after a pause."""

    @property
    def types(self) -> list[str]:
        return [item.type for item in self.response.output]

    @property
    def carriers(self) -> list[list[Block]]:
        """The blocks that come back to Claude, by reasoning item."""
        sealed = [getattr(item, "encrypted_content", None) for item in self.response.output]
        return [msgspec.json.decode(carrier) for carrier in sealed if carrier]

    def items(self, kind: str) -> list[Any]:
        return [item for item in self.response.output if item.type == kind]


@pytest.fixture
def read() -> Callable[..., Outcome]:
    """Translate and assemble answers that follow on each other, each in pieces of bytes."""

    def run(*answers: list[bytes], whole: bool = False, request: Block | None = None) -> Outcome:
        body = msgspec.json.encode({"model": "alias", "input": "hello", **(request or {})})
        translator = DIALECT.translator(call_of(decode_request(body), {}))
        numbers = count()
        response = start_response(Request(), id="resp_1", model="alias", created_at=0)
        assembler = Assembler(response, lambda prefix: f"{prefix}_{next(numbers)}", lambda: 0.0)
        events, asked, error = assembler.start(), [], None
        try:
            for chunks in answers:
                framing = WholeBody() if whole else SSEDecoder()
                for frame in [*(f for c in chunks for f in framing.feed(c)), *framing.close()]:
                    for delta in translator.feed(frame):
                        events += assembler.feed(delta)
                if more := translator.continuation():
                    asked.append(msgspec.json.decode(more.body))
            events += assembler.finish()
        except GatewayError as failure:
            error = failure
            events += assembler.fail(failure)
        assert violations(events) == []
        return Outcome(events, assembler.response, error, asked)

    return run


@pytest.fixture
def answer(read: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Read an answer of the given blocks, streamed; an answer in one piece must say the same."""

    def run(
        *blocks: Block, stop: str = "end_turn", request: Block | None = None, **ending: Any
    ) -> Outcome:
        streamed = read([stream(*blocks, stop=stop, **ending)], request=request)
        message = {"type": "message", "content": blocks, "stop_reason": stop, **ending}
        whole = read([msgspec.json.encode(message)], whole=True, request=request)
        assert whole.response == streamed.response
        return streamed

    return run


@pytest.fixture
def streamed() -> Callable[..., bytes]:
    """Write blocks as a stream of events."""
    return stream


def stream(
    *blocks: Block, stop: str = "end_turn", usage: Block | None = None, **ending: Any
) -> bytes:
    events: list[Block] = [{"type": "message_start", "message": {"usage": usage, **ending}}]
    for index, block in enumerate(blocks):
        begun, deltas = taken_apart(block)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += (
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        )
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": stop, **ending}})
    events.append({"type": "message_stop"})
    return b"".join(frame(event) for event in events)


def taken_apart(block: Block) -> tuple[Block, list[Block]]:
    """Return the block as it begins, and the deltas that make it whole."""
    begun, deltas = dict(block), []
    for name, (kind, member) in PIECES.items():
        if isinstance(text := block.get(name), str):
            begun[name] = ""
            halves = text[: len(text) // 2], text[len(text) // 2 :]
            deltas += [{"type": kind, member: half} for half in halves]
    if "input" in block:
        begun["input"] = {}
        text = msgspec.json.encode(block["input"]).decode() if block["input"] else ""
        deltas += [
            {"type": "input_json_delta", "partial_json": half} for half in ("", text[:3], text[3:])
        ]
    for citation in begun.pop("citations", ()):
        deltas.append({"type": "citations_delta", "citation": citation})
    return begun, deltas


def frame(event: Block) -> bytes:
    return f"event: {event['type']}\ndata: {msgspec.json.encode(event).decode()}   \n\n".encode()
