"""Models that think before they call, and must be shown what they thought when they go on.

Each says one thought, calls the first function that it is offered, and then says what came of it.
All of it is invented.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from gateway.testing import Received, Script, event_stream
from gateway.testing.invented import events, message

__all__ = ["ALL", "Claude", "Gemini", "Gpt", "Thinker"]

Json = dict[str, Any]
NUMBERS = {"a": 2, "b": 3}
SIGNATURE = "c2lnbmVk"


class Thinker(ABC):
    """A model at `path`; `entry` is its name in the configuration."""

    entry: ClassVar[str]
    path: ClassVar[str]

    def answer(self, received: Received) -> Script:
        asked = received.json()
        remembered = self.remembered(asked)
        told = self.say(remembered[-1]) if remembered else self.think(self.offered(asked))
        return event_stream(
            *(f"event: {one.get('type')}\ndata: {json.dumps(one)}\n\n".encode() for one in told)
        )

    @abstractmethod
    def offered(self, asked: Json) -> str:
        """Return the name of the first function."""

    @abstractmethod
    def think(self, function: str) -> Iterator[Json]:
        """Yield the events of an answer that thinks and calls."""

    @abstractmethod
    def say(self, text: str) -> Iterator[Json]:
        """Yield the events of an answer that says `text`."""

    @abstractmethod
    def remembered(self, asked: Json) -> list[str]:
        """Return what a request tells after the question: of thoughts the signature, of calls the
        function, of results the text.
        """


class Claude(Thinker):
    entry = "claude"
    path = "/v1/messages"

    def offered(self, asked: Json) -> str:
        return asked["tools"][0]["name"]

    def think(self, function: str) -> Iterator[Json]:
        thought = {"type": "thinking", "thinking": "", "signature": ""}
        call = {"type": "tool_use", "id": "toolu_1", "name": function, "input": {}}
        yield from self._begin()
        yield from self._block(
            0,
            thought,
            {"type": "thinking_delta", "thinking": "Let me add."},
            {"type": "signature_delta", "signature": SIGNATURE},
        )
        arguments = {"type": "input_json_delta", "partial_json": json.dumps(NUMBERS)}
        yield from self._block(1, call, arguments)
        yield from self._end("tool_use")

    def say(self, text: str) -> Iterator[Json]:
        delta = {"type": "text_delta", "text": text}
        yield from self._begin()
        yield from self._block(0, {"type": "text", "text": ""}, delta)
        yield from self._end("end_turn")

    def remembered(self, asked: Json) -> list[str]:
        blocks = [block for turn in asked["messages"][1:] for block in turn["content"]]
        return [
            block.get("signature") or block.get("name") or text_of(block["content"])
            for block in blocks
        ]

    def _begin(self) -> Iterator[Json]:
        identity = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
        usage = {"input_tokens": 9, "output_tokens": 1}
        begun = {**identity, "content": [], "stop_reason": None, "usage": usage}
        yield {"type": "message_start", "message": begun}

    def _block(self, index: int, start: Json, *deltas: Json) -> Iterator[Json]:
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    def _end(self, reason: str) -> Iterator[Json]:
        delta = {"stop_reason": reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 4}}
        yield {"type": "message_stop"}


class Gemini(Thinker):
    entry = "gemini"
    path = "/v1beta/models/gemini-3.5-flash:streamGenerateContent"

    def offered(self, asked: Json) -> str:
        return asked["tools"][0]["functionDeclarations"][0]["name"]

    def think(self, function: str) -> Iterator[Json]:
        call = {"name": function, "args": NUMBERS}
        yield self._chunk({"functionCall": call, "thoughtSignature": SIGNATURE})

    def say(self, text: str) -> Iterator[Json]:
        yield self._chunk({"text": text})

    def remembered(self, asked: Json) -> list[str]:
        told: list[str] = []
        for part in (part for content in asked["contents"][1:] for part in content["parts"]):
            if "functionCall" in part:
                told += [part.get("thoughtSignature", ""), part["functionCall"]["name"]]
            elif "functionResponse" in part:
                told += part["functionResponse"]["response"].values()
        return told

    def _chunk(self, part: Json) -> Json:
        content = {"role": "model", "parts": [part]}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
        candidate = {"content": content, "finishReason": "STOP", "index": 0}
        return {"candidates": [candidate], "usageMetadata": usage}


class Gpt(Thinker):
    """Speaks the Responses API, and is not let to run MCP servers."""

    entry = "thinker"
    path = "/thinker/v1/responses"

    def offered(self, asked: Json) -> str:
        return asked["tools"][0]["name"]

    def think(self, function: str) -> Iterator[Json]:
        thought = {"id": "rs_1", "type": "reasoning", "summary": []}
        call = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1"}
        arguments = {"name": function, "arguments": json.dumps(NUMBERS)}
        yield from self._told({**thought, "encrypted_content": SIGNATURE}, {**call, **arguments})

    def say(self, text: str) -> Iterator[Json]:
        yield from self._told(message("msg_1", text))

    def remembered(self, asked: Json) -> list[str]:
        return [
            item.get("encrypted_content") or item.get("name") or item.get("output", "")
            for item in asked["input"][1:]
        ]

    def _told(self, *output: Json) -> Iterator[Json]:
        response: Json = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt"}
        usage = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
        response |= {"status": "completed", "output": output, "usage": usage, "tools": []}
        for number, event in enumerate(events(response, (text_of(output[0].get("content")),))):
            yield {**event, "sequence_number": number}


ALL = (Claude(), Gemini(), Gpt())


def text_of(content: Any) -> str:
    """Return the text of a content, which is one or has parts."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content or ())
