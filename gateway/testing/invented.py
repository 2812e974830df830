"""Invented items and events in the shapes of the Responses API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["computer_call", "events", "frame", "mcp_approval_request", "mcp_call", "message"]


def events(response: Mapping[str, Any], story: tuple[str, ...]) -> list[dict[str, Any]]:
    (item,) = response["output"]
    part, text = item["content"][0], item["content"][0]["text"]
    begun: dict[str, Any] = {**response, "status": "in_progress", "output": [], "usage": None}
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        *(
            {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
            for piece in story
        ),
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]


def frame(event: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


def message(identifier: str, text: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": identifier,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def mcp_approval_request(identifier: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "mcp_approval_request",
        "server_label": "deepwiki",
        "name": "ask_question",
        "arguments": '{"question":"Which transports?"}',
    }


def mcp_call(identifier: str, approval: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "mcp_call",
        "server_label": "deepwiki",
        "name": "ask_question",
        "arguments": '{"question":"Which transports?"}',
        "approval_request_id": approval["approval_request_id"],
        "output": "stdio and streamable HTTP",
        "status": "completed",
        "error": None,
    }


def computer_call(identifier: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "computer_call",
        "call_id": f"call_{identifier}",
        "action": {"type": "screenshot"},
        "pending_safety_checks": [],
        "status": "completed",
    }
