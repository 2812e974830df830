"""Invented items and events in the shapes of the Responses API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["computer_call", "events", "frame", "mcp_approval_request", "mcp_call", "message"]


def events(response: Mapping[str, Any], story: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a stream that ends as `response`; a message in it says `story`, piece by piece."""
    begun: dict[str, Any] = {**response, "status": "in_progress", "output": [], "usage": None}
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *(
            event
            for index, item in enumerate(response["output"])
            for event in _events_of_item(index, item, story)
        ),
        {"type": "response.completed", "response": response},
    ]


def _events_of_item(
    index: int, item: Mapping[str, Any], story: tuple[str, ...]
) -> list[dict[str, Any]]:
    begun, between = {**item}, list[dict[str, Any]]()
    match item["type"]:
        case "message":
            begun |= {"status": "in_progress", "content": []}
            between = _events_of_text(item["content"][0], story)
        case "function_call":
            begun |= {"status": "in_progress", "arguments": ""}
            between = _events_of_arguments("function_call", item)
        case "mcp_call":
            begun |= {"status": "in_progress", "arguments": "", "output": None}
            between = [
                {"type": "response.mcp_call.in_progress"},
                *_events_of_arguments("mcp_call", item),
                {"type": "response.mcp_call.completed"},
            ]
        case _:
            pass
    at = {"item_id": item["id"], "output_index": index}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": begun},
        *({**event, **at} for event in between),
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _events_of_text(part: Mapping[str, Any], story: tuple[str, ...]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"type": "response.content_part.added", "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", "delta": one, "logprobs": []} for one in story),
        {"type": "response.output_text.done", "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", "part": part},
    ]
    return [{**event, "content_index": 0} for event in told]


def _events_of_arguments(kind: str, item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": f"response.{kind}_arguments.delta", "delta": item["arguments"]},
        {"type": f"response.{kind}_arguments.done", "arguments": item["arguments"]},
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


def mcp_approval_request(identifier: str, tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return what asks to call the first function that `tool` allows."""
    (name, *_) = tool.get("allowed_tools") or ("ask_question",)
    return {
        "id": identifier,
        "type": "mcp_approval_request",
        "server_label": tool["server_label"],
        "name": name,
        "arguments": '{"question":"Which transports?"}',
    }


def mcp_call(identifier: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the call that `request` has asked for."""
    return {
        **request,
        "id": identifier,
        "type": "mcp_call",
        "approval_request_id": request["id"],
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
