"""What the upstream answers, in the shapes of three vendors. All of it is invented.

The name of an answer says what is in it: `create` is a whole response, `stream-108` one of 108
events, `chat-108` and `messages-108` as many frames in the shapes of Chat Completions and of
Anthropic's Messages. In `timed-…` each word is the time at which it is sent. `NAME@50` is the same
answer, 50 frames a second.
"""

import json
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

WORD, STAMP = " token", " @0000000000000000"
ITEM = "msg_68d82b7c0f6c8190"
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
            "id": ITEM,
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


class Api(Struct, frozen=True, kw_only=True):
    """How a vendor is spoken to: the provider's name with us, the address and how a stream ends."""

    provider: str
    base: str
    path: str
    end: str


RESPONSES = Api(provider="openai", base="/v1", path="/v1/responses", end="response.completed")
CHAT = Api(provider="openai_compatible", base="/v1", path="/v1/chat/completions", end="[DONE]")
MESSAGES = Api(provider="anthropic", base="", path="/v1/messages", end="message_stop")


def api_of(answer: str) -> Api:
    """Return who speaks as `answer` does."""
    for part, api in (("chat", CHAT), ("messages", MESSAGES)):
        if part in answer:
            return api
    return RESPONSES


def frames_of(answer: str) -> int:
    """Return how many frames `answer` has: 1 if it is no stream."""
    size = answer.partition("@")[0].rpartition("-")[2]
    return int(size) if size.isdecimal() else 1


def write_answers(folder: Path, names: set[str]) -> None:
    """Put a file for each of `names` into `folder`, as `load/upstream.c` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in {name.partition("@")[0] for name in names}:
        file = folder / f"{name}.{'sse' if frames_of(name) > 1 else 'json'}"
        if file.exists():
            continue
        if frames_of(name) == 1:
            file.write_text(json.dumps(RESPONSE))
            continue
        make: Callable[[int, str], list[str]] = {
            CHAT: completions,
            MESSAGES: messages,
            RESPONSES: responses,
        }[api_of(name)]
        word = STAMP if name.startswith("timed-") else WORD
        file.write_text("".join(make(frames_of(name), word)))


def frame(data: dict[str, object], kind: str = "") -> str:
    return (f"event: {kind}\n" if kind else "") + f"data: {json.dumps(data)}\n\n"


def responses(events: int, word: str) -> list[str]:
    def event(kind: str, number: int, **fields: object) -> str:
        return frame({"type": kind, "sequence_number": number, **fields}, kind)

    started = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": ITEM, "output_index": 0, "content_index": 0}
    deltas = [
        event("response.output_text.delta", number, **place, delta=word, logprobs=[])
        for number in range(1, events - 1)
    ]
    first = event("response.created", 0, response=started)
    return [first, *deltas, event("response.completed", events - 1, response=RESPONSE)]


def completions(chunks: int, word: str) -> list[str]:
    head = {"id": "chatcmpl-BxYz0123456789", "object": "chat.completion.chunk", "model": "gpt-4o"}

    def chunk(finish_reason: str | None = None, **delta: str) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return frame({**head, "created": 1790000000, "choices": [choice], "usage": None})

    words = [chunk(content=word) for _ in range(chunks - 3)]
    return [chunk(role="assistant", content=""), *words, chunk("stop"), "data: [DONE]\n\n"]


def messages(events: int, word: str) -> list[str]:
    def event(kind: str, **fields: object) -> str:
        return frame({"type": kind, **fields}, kind)

    message: dict[str, object] = {
        "id": "msg_01BxYz0123456789",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    }
    words = [
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
        for _ in range(events - 5)
    ]
    return [
        event("message_start", message=message),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *words,
        event("content_block_stop", index=0),
        event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 80},
        ),
        event("message_stop"),
    ]
