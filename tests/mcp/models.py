"""A model that calls every function that it is offered and knows, and tells what came of it.

It speaks Chat Completions and the Responses API, in streams. What it says is invented.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.testing import Received, Script, event_stream
from gateway.testing.invented import events, frame, message

__all__ = ["ARGUMENTS", "TOLD", "chat", "responses"]

ARGUMENTS: Mapping[str, dict[str, Any]] = {
    "add": {"a": 2, "b": 3},
    "get-sum": {"a": 2, "b": 3},
    "echo": {"message": "Luna"},
    "fail": {"reason": "tired"},
}
"""The functions that the model knows, and what it calls them with."""

TOLD = "It came to: "
"""How the model begins to tell of its calls."""

USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def chat(received: Received) -> Script:
    """Answer in chunks of a chat completion."""
    asked = received.json()
    outputs = [turn["content"] for turn in _latest(asked["messages"]) if turn["role"] == "tool"]
    calls = _calls(asked, (tool["function"]["name"] for tool in asked.get("tools", ())), outputs)
    deltas: list[dict[str, Any]] = [
        {"tool_calls": [{"index": index, "id": identifier, "type": "function", "function": call}]}
        for index, (identifier, call) in enumerate(calls)
    ]
    if not calls:
        deltas = [{"content": TOLD}, {"content": "; ".join(outputs) or "nothing."}]
    end = {"delta": {}, "finish_reason": "tool_calls" if calls else "stop"}
    chunks: list[Any] = [{"delta": delta} for delta in deltas] + [end]
    written: list[dict[str, Any]] = [{"choices": [{"index": 0, **chunk}]} for chunk in chunks]
    written.append({"choices": [], "usage": USAGE})
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in written]
    return event_stream(*frames, b"data: [DONE]\n\n")


def responses(received: Received) -> Script:
    """Answer in events of the Responses API."""
    asked = received.json()
    outputs = [
        item["output"]
        for item in _latest(asked["input"])
        if item.get("type") == "function_call_output"
    ]
    calls = _calls(asked, (tool.get("name", "") for tool in asked.get("tools", ())), outputs)
    output: list[dict[str, Any]] = [
        {
            "id": f"fc_{identifier}",
            "type": "function_call",
            "status": "completed",
            "call_id": identifier,
            **call,
        }
        for identifier, call in calls
    ]
    pieces = (TOLD, "; ".join(outputs) or "nothing.")
    response: dict[str, Any] = {
        "id": "resp_upstream",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": asked["model"],
        "output": output or [message("msg_upstream", "".join(pieces))],
        "tools": asked.get("tools", []),
        "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
    }
    told = enumerate(events(response, pieces))
    return event_stream(*(frame({**event, "sequence_number": number}) for number, event in told))


def _latest(turns: Sequence[Mapping[str, Any]] | str) -> Iterable[Mapping[str, Any]]:
    """Return what came after the user's last word."""
    if isinstance(turns, str):
        return ()
    return itertools.takewhile(lambda turn: turn.get("role") != "user", reversed(turns))


def _calls(
    asked: Mapping[str, Any], offered: Iterable[str], outputs: Sequence[str]
) -> list[tuple[str, dict[str, str]]]:
    """Return the calls that the model makes, by their ids."""
    if outputs or asked.get("tool_choice") == "none":
        return []
    known = {name: ARGUMENTS.get(name.rpartition("__")[2]) for name in offered}
    made = [(name, json.dumps(given)) for name, given in known.items() if given is not None]
    return [
        (f"call_{number}", {"name": name, "arguments": arguments})
        for number, (name, arguments) in enumerate(made)
    ]
