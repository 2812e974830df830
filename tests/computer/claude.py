"""A Claude: members of the computer toolset, several in one turn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .models import Json, ScriptedModel, Turn, without


def thought(text: str, signature: str) -> Json:
    return {"type": "thinking", "thinking": text, "signature": signature}


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def use(member: str, **arguments: Any) -> Json:
    return {
        "type": "tool_use",
        "name": member,
        "input": arguments,
        "toolset_name": "computer",
    }


class Claude(ScriptedModel):
    """Speaks of pixels. Its last click is at the cursor, wherever that is."""

    name = "claude-opus-5-5"
    path = "/v1/messages"
    turns = (
        (thought("What is there?", "c2lnbmVkIDE="), text("I look first."), use("screenshot")),
        (
            thought("The name is not hers.", "c2lnbmVkIDI="),
            use("left_click", coordinate=[200, 100]),
            use("key", text="ctrl+a"),
            use("type", text="Luna"),
        ),
        (
            use("double_click", coordinate=[600, 100]),
            use("left_click_drag", start_coordinate=[120, 300], coordinate=[560, 300]),
        ),
        (
            {"type": "redacted_thinking", "data": "bm90IGZvciB5b3U="},
            use("scroll", coordinate=[400, 300], scroll_direction="down", scroll_amount=8),
        ),
        (use("mouse_move", coordinate=[400, 400]), use("left_click")),
        (use("wait", duration=1), use("screenshot")),
        (thought("It is green.", "c2lnbmVkIDM="), text("Luna is on the list.")),
    )

    def judge(self, body: Json) -> Iterable[str]:
        toolsets = [tool["type"] for tool in body["tools"]]
        if toolsets != ["computer_toolset_20260801"]:
            yield f"the tools are {toolsets}"
        first, *history = body["messages"]
        answers, results = history[::2], history[1::2]
        roles = [message["role"] for message in (first, *history)]
        if roles != ["user", *("assistant", "user") * len(results)]:
            yield f"the roles are {roles}"
            return
        yield from self.told_again([answer["content"] for answer in answers])
        for answer, result in zip(answers, results, strict=True):
            yield from self._answered(answer["content"], result["content"])
        if results:
            yield from self._looked(images_of(results[-1]["content"]))

    def _answered(self, content: Turn, results: Turn) -> Iterator[str]:
        calls = [block["id"] for block in content if block["type"] == "tool_use"]
        answered = [result.get("tool_use_id") for result in results]
        if calls != answered or len(set(calls)) < len(calls):
            yield f"tool_use ids {calls} have tool_result blocks {answered}"
        if any(result.get("toolset_name") != "computer" for result in results):
            yield "a tool_result has no toolset_name"
        if not all(result.get("content") for result in results):
            yield "a tool_result is empty"

    def _looked(self, images: Sequence[Json]) -> Iterator[str]:
        """Complain of images that are not what is on the screen, or may be made smaller unsaid."""
        yield from self.shown([image["source"]["data"] for image in images])
        for image in images:
            if image["source"]["media_type"] != "image/png":
                yield "a screenshot is no PNG"
            if image.get("transformations") != {"oversized_image": "error"}:
                yield "a screenshot may be made smaller"

    def essence(self, turn: Turn) -> Turn:
        return [kept(block) for block in turn]

    def refusal(self, message: str) -> Json:
        error = {"type": "invalid_request_error", "message": message}
        return {"type": "error", "error": error, "request_id": "req_invented"}

    def tell(self, turn: Turn) -> Iterator[Json]:
        message = {"id": f"msg_{len(self.asked)}", "type": "message", "role": "assistant"}
        usage = {"input_tokens": 900, "output_tokens": 1}
        begun = {"model": self.name, "content": [], "stop_reason": None, "stop_sequence": None}
        yield {"type": "message_start", "message": {**message, **begun, "usage": usage}}
        for index, block in enumerate(turn):
            start, *deltas = pieces(block)
            if start["type"] == "tool_use":
                start["id"] = f"toolu_{len(self.asked)}_{index}"
            yield {"type": "content_block_start", "index": index, "content_block": start}
            for delta in deltas:
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        reason = "tool_use" if any(block["type"] == "tool_use" for block in turn) else "end_turn"
        end = {"stop_reason": reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": 40}}
        yield {"type": "message_stop"}

    def frame(self, event: Json) -> bytes:
        return f"event: {event['type']}\n".encode() + super().frame(event)


def pieces(block: Json) -> Iterator[Json]:
    """Yield how a stream begins to tell `block`, then its deltas."""
    match block["type"]:
        case "thinking":
            yield {**block, "thinking": "", "signature": ""}
            yield {"type": "thinking_delta", "thinking": block["thinking"]}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            yield {**block, "text": ""}
            yield {"type": "text_delta", "text": block["text"]}
        case "tool_use":
            yield {**block, "input": {}}
            arguments = json.dumps(block["input"])
            for piece in ("", arguments[:5], arguments[5:]):
                yield {"type": "input_json_delta", "partial_json": piece}
        case _:
            yield block


def kept(block: Json) -> Json:
    """Return what has to come back of `block`: of a call not its id or where the cursor was."""
    if block["type"] != "tool_use":
        return block
    unsaid = ["coordinate"] if block["name"] == "left_click" else []
    return {**without(block, "id"), "input": without(block["input"], *unsaid)}


def images_of(results: Turn) -> Sequence[Json]:
    contents = (result["content"] for result in results)
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [part for part in parts if part["type"] == "image"]
