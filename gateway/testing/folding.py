"""Builds a response's output from the events in between, as a client does that reads deltas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

__all__ = ["fold"]

_Json = dict[str, Any]

_STREAMED = {
    "message": ("content",),
    "reasoning": ("summary", "content"),
    "function_call": ("arguments",),
    "custom_tool_call": ("input",),
    "mcp_call": ("arguments",),
    "code_interpreter_call": ("code",),
}
"""What of an item is told by deltas; `output_item.done` is believed for the rest."""

_GROWING_PARTS = {
    "response.output_text.delta": ("content", "text"),
    "response.refusal.delta": ("content", "refusal"),
    "response.reasoning_text.delta": ("content", "text"),
    "response.reasoning_summary_text.delta": ("summary", "text"),
}
"""Where a delta goes: the list that holds the part, and the member of the part."""

_GROWING_MEMBERS = {
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.mcp_call_arguments.delta": "arguments",
    "response.code_interpreter_call_code.delta": "code",
}


def fold(events: Iterable[Mapping[str, Any]]) -> list[_Json]:
    """Return the output items that `events` tell of, without a look at the final response.

    Raises `LookupError` for an event about an item or a part that was not announced.
    """
    items: dict[int, _Json] = {}
    for event in events:
        kind = event["type"]
        if kind == "response.output_item.added":
            items[event["output_index"]] = deepcopy(event["item"])
        elif "output_index" in event:
            _read(items[event["output_index"]], event)
    return [items[index] for index in sorted(items)]


def _read(item: _Json, event: Mapping[str, Any]) -> None:
    match event["type"]:
        case "response.output_item.done":
            streamed = _STREAMED.get(item["type"], ())
            item |= {n: value for n, value in event["item"].items() if n not in streamed}
        case "response.content_part.added":
            _parts(item, "content").append(deepcopy(event["part"]))
        case "response.reasoning_summary_part.added":
            _parts(item, "summary").append(deepcopy(event["part"]))
        case "response.output_text.annotation.added":
            item["content"][event["content_index"]]["annotations"].append(event["annotation"])
        case kind if kind in _GROWING_PARTS:
            _grow(item, event)
        case kind if kind in _GROWING_MEMBERS:
            item[_GROWING_MEMBERS[kind]] += event["delta"]
        case _:
            pass


def _grow(item: _Json, event: Mapping[str, Any]) -> None:
    place, member = _GROWING_PARTS[event["type"]]
    index: int = event["summary_index" if place == "summary" else "content_index"]
    part = _parts(item, place)[index]
    part[member] += event["delta"]
    if logprobs := event.get("logprobs"):
        part["logprobs"] = [*part.get("logprobs", []), *logprobs]


def _parts(item: _Json, place: str) -> list[_Json]:
    parts: list[_Json] = item.setdefault(place, [])
    return parts
