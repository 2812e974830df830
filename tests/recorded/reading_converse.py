"""A second and simpler reading of what models on Bedrock say, by the documentation of Converse.

A stream is first put together to the answer that it is made of. It is done with plain JSON: no
code of the gateway takes part.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .account import as_json
from .telling import Teller, Telling, Usage

STATUS: Mapping[str | None, tuple[str, str | None]] = {
    "end_turn": ("completed", None),
    "stop_sequence": ("completed", None),
    "tool_use": ("completed", None),
    "max_tokens": ("incomplete", "max_output_tokens"),
    "model_context_window_exceeded": ("incomplete", "max_output_tokens"),
    "guardrail_intervened": ("incomplete", "content_filter"),
    "content_filtered": ("incomplete", "content_filter"),
}
CACHE = ("cacheReadInputTokens", "cacheWriteInputTokens")


def messages_of(body: bytes) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Yield the headers and the payload of each message of an AWS event stream that is whole."""
    while len(body) >= 12:
        length, headers_length = struct.unpack_from(">II", body)
        if len(body) < length:
            return
        headers, payload = body[12 : 12 + headers_length], body[12 + headers_length : length - 4]
        yield dict(headers_of(headers)), json.loads(payload)
        body = body[length:]


def headers_of(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the names and values of headers, all of which are texts."""
    while data:
        end = 1 + data[0]
        length = int.from_bytes(data[end + 1 : end + 3], "big")
        yield data[1:end].decode(), data[end + 3 : end + 3 + length].decode()
        data = data[end + 3 + length :]


def put_together(body: bytes, *, stream: bool) -> dict[str, Any]:
    """Return the answer that `body` is: its blocks, its usage, and why it stopped."""
    if stream:
        return assembled(messages_of(body))
    answer = json.loads(body)
    return {**answer, "blocks": answer["output"]["message"]["content"]}


def assembled(messages: Iterable[tuple[Mapping[str, str], Mapping[str, Any]]]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for headers, payload in messages:
        block = blocks.setdefault(payload.get("contentBlockIndex", -1), {})
        match headers.get(":event-type"):
            case "contentBlockStart":
                block |= {name: dict(value) for name, value in payload["start"].items()}
            case "contentBlockDelta":
                grow(block, payload["delta"])
            case "messageStop" | "metadata":
                answer |= payload
            case None:
                answer["exception"] = headers[":exception-type"]
            case _:
                pass
    for block in blocks.values():
        if "json" in (use := block.get("toolUse") or {}):
            use["input"] = as_json(use.pop("json"))
    return {**answer, "blocks": [block for index, block in sorted(blocks.items()) if index >= 0]}


def grow(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    [(kind, value)] = delta.items()
    match kind:
        case "text":
            block["text"] = block.get("text", "") + value
        case "citation":
            block["citations"] = [*block.get("citations", ()), value]
        case "toolUse":
            block["toolUse"]["json"] = block["toolUse"].get("json", "") + value["input"]
        case "toolResult":
            block[kind]["content"] = [*block[kind].get("content", ()), *value]
        case "reasoningContent" if "redactedContent" in value:
            block[kind] = value
        case "reasoningContent":
            said = block.setdefault(kind, {"reasoningText": {"text": ""}})["reasoningText"]
            for name, piece in value.items():
                said[name] = said.get(name, "") + piece
        case _:
            pass


def read_converse(body: bytes, *, stream: bool) -> Telling:
    """Read an answer of Converse or ConverseStream."""
    answer = put_together(body, stream=stream)
    teller = Teller()
    for block in answer["blocks"]:
        cited = block.get("citationsContent") or {}
        citations = block.get("citations") or cited.get("citations") or ()
        texts = [block.get("text") or "", *(part["text"] for part in cited.get("content") or ())]
        teller.say("".join(texts), sources_of(citations))
        thought = (block.get("reasoningContent") or {}).get("reasoningText") or {}
        teller.think(thought.get("text") or "")
        if "image" in block:
            teller.host("image_generation_call")
        tell_use(teller, block.get("toolUse") or {"type": "none"})
    status, reason = STATUS.get(answer.get("stopReason"), ("failed", None))
    if "exception" in answer:
        status, reason = "failed", None
    return teller.tell(status, reason, usage_of(answer.get("usage") or {}))


def tell_use(teller: Teller, use: Mapping[str, Any]) -> None:
    """Tell the use of a tool: of the client's, or of one of the two that Bedrock has itself."""
    given = use.get("input") or {}
    if use.get("type", "tool_use") == "tool_use":
        teller.call(use["toolUseId"], use["name"], given)
    elif use.get("name") == "nova_code_interpreter":
        teller.host("code_interpreter_call", given.get("snippet") or "")
    elif use.get("name") == "nova_grounding":
        teller.host("web_search_call", given.get("query") or "")


def sources_of(citations: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the web pages among `citations`; documents have no URL."""
    for one in citations:
        web = (one.get("location") or {}).get("web") or {}
        url = web.get("url") or one.get("source") or ""
        if url.startswith(("http://", "https://")):
            yield url, one.get("title") or ""


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Return the tokens: what is read from or written to a cache is not in `inputTokens`."""
    cached, written = (usage.get(name) or 0 for name in CACHE)
    return Usage(
        sent=(usage.get("inputTokens") or 0) + cached + written,
        cached=cached,
        written=written,
        answered=usage.get("outputTokens") or 0,
    )
