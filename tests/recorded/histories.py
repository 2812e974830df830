"""What a vendor is told of its own earlier answers, told so that it can be compared.

A history is the list of blocks that a model said. Neighbouring texts that bear no signature are
one: how they are cut is nobody's concern. Texts without a word are none, since some vendors refuse
to be told of them. No code of the gateway takes part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gateway.testing import Script, json_answer

from .families import recorded
from .reading_converse import put_together as put_converse_together
from .reading_gemini import CallLog, chunks_of, parts_of
from .reading_messages import put_together as put_messages_together

if TYPE_CHECKING:
    from .conftest import Recording

Json = dict[str, Any]
SNAKE = re.compile(r"_(\w)")


def turns_of(recording: Recording) -> list[list[Json]]:
    """Return the blocks of each answer of the vendor's that a recording knows, its own last."""
    request = recording.request or {}
    turns: list[list[Json]] = []
    latest = ""
    for message in request.get("messages") or request.get("contents") or ():
        if message["role"] in ("assistant", "model"):
            blocks = message.get("content") or message.get("parts")
            turns += [[]] if latest != message["role"] else []
            turns[-1] += [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
        latest = message["role"]
    if recorded(recording).status == "completed":
        turns.append(answer_of(recording))
    return [[plain(block) for block in turn] for turn in turns]


def answer_of(recording: Recording) -> list[Json]:
    """Return the blocks of what was answered."""
    match recording.provider.name:
        case "anthropic":
            return put_messages_together(recording.body, stream=recording.stream)["content"]
        case "bedrock":
            return put_converse_together(recording.body, stream=recording.stream)["blocks"]
        case _:
            chunks = chunks_of(recording.body, stream=recording.stream)
            return list(with_whole_calls(parts_of(chunks)))


def with_whole_calls(parts: Iterable[Mapping[str, Any]]) -> Iterator[Json]:
    """Yield `parts`, but each call that comes in pieces as one."""
    calls, members = CallLog(), dict[str, Any]()
    for part in parts:
        if "functionCall" not in part:
            yield dict(part)
            continue
        members = members or dict(part)
        for call in calls.add(part["functionCall"]):
            yield {**members, "functionCall": {"name": call["name"], "args": call["args"]}}
            members = {}


def plain(block: Mapping[str, Any]) -> Json:
    """Return `block` without what a client may add, and in the spelling of the wire."""
    kept = {name: value for name, value in block.items() if name not in ("cache_control", "type")}
    if "type" in block:
        return {**kept, "type": block["type"]}
    return {camel(name): spelt(camel(name), value) for name, value in kept.items()}


def camel(name: str) -> str:
    return SNAKE.sub(lambda found: found[1].upper(), name)


def spelt(name: str, value: Any) -> Any:
    if name in ("toolCall", "toolResponse"):
        return {camel(member): one for member, one in value.items()}
    return value


def play(provider: str, blocks: list[Json]) -> Script:
    """Return an answer that consists of `blocks`, in the shape of the provider."""
    calls = any(block.get("type") == "tool_use" or "toolUse" in block for block in blocks)
    why = "tool_use" if calls else "end_turn"
    match provider:
        case "anthropic":
            usage = {"input_tokens": 3, "output_tokens": 4}
            body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
            return json_answer({**body, "content": blocks, "stop_reason": why, "usage": usage})
        case "bedrock":
            usage = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
            message = {"role": "assistant", "content": blocks}
            answer = {"output": {"message": message}, "stopReason": why, "usage": usage}
            return json_answer(answer)
        case _:
            candidate = {"content": {"role": "model", "parts": blocks}, "finishReason": "STOP"}
            counts = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
            return json_answer({"candidates": [candidate], "usageMetadata": counts})


def history_in(sent: Mapping[str, Any]) -> list[Any]:
    """Return the history of a request: each block that the model is told that it said."""
    return history(
        [
            plain(block)
            for message in sent.get("messages") or sent["contents"]
            if message["role"] in ("assistant", "model")
            for block in message.get("content") or message.get("parts")
        ]
    )


def history(blocks: Iterable[Mapping[str, Any]]) -> list[Any]:
    said: list[Any] = []
    for block in blocks:
        match norm(block):
            case str(text) if said and isinstance(said[-1], str):
                said[-1] += text
            case "" | None:
                pass
            case one:
                said.append(one)
    return [one for one in said if not isinstance(one, str) or one.strip()]


def norm(block: Mapping[str, Any]) -> Any:
    """Return what must come back of `block`: a text for words without more, None for nothing."""
    if block.get("thought"):
        return None
    if "citationsContent" in block:
        return "".join(part["text"] for part in block["citationsContent"]["content"])
    signed = {name: block[name] for name in ("thoughtSignature",) if name in block}
    if "text" in block:
        return {"text": block["text"], **signed} if signed else block["text"]
    call = norm_call(block)
    return {**call, **signed} if call else dict(block)


def norm_call(block: Mapping[str, Any]) -> Json:
    """Return what must come back of a call: nothing if `block` is none."""
    if block.get("type") == "tool_use":
        return {name: block[name] for name in ("id", "name", "input")}
    if use := block.get("toolUse"):
        kind = use.get("type", "tool_use")
        return {"id": use["toolUseId"], "name": use["name"], "input": use["input"], "type": kind}
    if call := block.get("functionCall"):
        return {"name": call["name"], "args": call.get("args") or {}}
    return {}


def words_in(history: Iterable[Any]) -> str:
    """Return all the text of a history, but for blanks at its ends."""
    texts = (one if isinstance(one, str) else one.get("text", "") for one in history)
    return "".join(texts).strip()


def calls_in(history: Iterable[Any], *, of_servers: bool = False) -> list[tuple[str, str]]:
    """Return the calls of a history that a client has to answer, and with `of_servers` those of MCP
    servers as the functions that these are to a model which has not made them itself.
    """
    kinds = {"tool_use", "mcp_tool_use"} if of_servers else {"tool_use"}
    return [
        (_called(one), json.dumps(one.get("input", one.get("args"))))
        for one in history
        if not isinstance(one, str)
        if one.get("type", "tool_use") in kinds and "name" in one
    ]


def _called(one: dict[str, Any]) -> str:
    server = one.get("server_name")
    return f"mcp__{server}__{one['name']}" if server else one["name"]
