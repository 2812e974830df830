"""A second and simpler reading of what Claude says, by the documentation of the Messages API.

A stream is first put together to the message that it is made of. It is done with plain JSON: no
code of the gateway takes part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .account import as_json
from .reading import events_of
from .telling import Teller, Telling, Usage

STATUS: Mapping[str | None, tuple[str, str | None]] = {
    "end_turn": ("completed", None),
    "stop_sequence": ("completed", None),
    "tool_use": ("completed", None),
    "max_tokens": ("incomplete", "max_output_tokens"),
    "model_context_window_exceeded": ("incomplete", "max_output_tokens"),
    "refusal": ("incomplete", "content_filter"),
    None: ("failed", None),
}
GROWING = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "compaction_delta": ("content", "content"),
    "input_json_delta": ("json", "partial_json"),
}


def put_together(body: bytes, *, stream: bool) -> dict[str, Any]:
    """Return the message that `body` is; that of a stream without an end has no `stop_reason`."""
    if not stream:
        return json.loads(body)
    events = events_of(body)
    ended = any(event["type"] == "message_stop" for event in events)
    return assembled(events) | ({} if ended else {"stop_reason": None})


def assembled(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"content": [], "usage": {}, "stop_reason": None}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message |= event["message"]
            case "content_block_start":
                blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                grow(blocks[event["index"]], event["delta"])
            case "message_delta":
                given = {name: value for name, value in event["usage"].items() if value is not None}
                usage = {**message["usage"], **given}
                message |= {**event["delta"], "usage": usage}
            case "error":
                return message | {"content": list(blocks.values()), "error": event["error"]}
            case _:
                pass
    return message | {"content": [whole(block) for block in blocks.values()]}


def grow(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    if delta["type"] == "citations_delta":
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    elif delta["type"] in GROWING:
        name, piece = GROWING[delta["type"]]
        block[name] = (block.get(name) or "") + (delta[piece] or "")


def whole(block: dict[str, Any]) -> dict[str, Any]:
    """Return `block` as it is in an answer that is no stream."""
    said = block.pop("json", None)
    return {**block, "input": as_json(said)} if said else block


def read_messages(body: bytes, *, stream: bool) -> Telling:
    """Read an answer of the Messages API."""
    message = put_together(body, stream=stream)
    return read_message(message)


def read_message(message: Mapping[str, Any]) -> Telling:
    teller = Teller()
    for block in message["content"]:
        match block["type"]:
            case "text":
                teller.say(block["text"], sources_of(block))
            case "thinking":
                teller.think(block["thinking"])
            case "tool_use":
                teller.call(block["id"], block["name"], block["input"])
            case _:
                pass
    for kind, subject in hosted_in(message["content"]):
        teller.host(kind, subject)
    status, reason = STATUS.get(message["stop_reason"], ("completed", None))
    explained = (message.get("stop_details") or {}).get("explanation")
    refused = bool(explained) and not teller.order
    if message.get("error"):
        status, reason = "failed", None
    return teller.tell(status, reason, usage_of(message["usage"]), refused=refused)


def sources_of(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the web pages that a block of text cites; documents have no URL."""
    for one in block.get("citations") or ():
        url = one.get("url") or one.get("source") or ""
        if url.startswith(("http://", "https://")):
            yield url, one.get("title") or ""


def hosted_in(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what tools of the vendor's did, by the types that OpenAI has for it; a use without
    its result is none.
    """
    answered = {block.get("tool_use_id") for block in blocks}
    for block in blocks:
        name, given = block.get("name") or "", block.get("input") or {}
        if block.get("id") not in answered:
            continue
        if block["type"] == "mcp_tool_use":
            yield "mcp_call", f"{block['server_name']}/{name}"
        elif name in ("web_search", "web_fetch"):
            yield "web_search_call", given.get("query") or given.get("url") or ""
        elif name == "text_editor_code_execution":
            yield "code_interpreter_call", json.dumps(given, separators=(",", ":"))
        elif name.endswith("code_execution"):
            yield "code_interpreter_call", given.get("code") or given.get("command") or ""


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Return the tokens: what is read from or written to a cache is not in `input_tokens`."""
    cached, written = (
        usage.get(name) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens")
    )
    details = usage.get("output_tokens_details") or {}
    return Usage(
        sent=(usage.get("input_tokens") or 0) + cached + written,
        cached=cached,
        written=written,
        answered=usage.get("output_tokens") or 0,
        thought=details.get("thinking_tokens") or 0,
    )
