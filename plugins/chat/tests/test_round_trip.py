"""What a model answered goes back to it, a turn later, as it had said it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

Read = Callable[..., Any]
Encode = Callable[..., dict[str, Any]]

CALLS = [
    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
    {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]
CUSTOM_CALL = {"id": "c", "type": "custom", "custom": {"name": "write", "input": "a\n{b"}}
DETAILS = [
    {"type": "reasoning.text", "text": "Hm.", "signature": "sig", "index": 0},
    {"type": "reasoning.encrypted", "data": "xyz", "index": 1},
]


def signed(call: dict[str, Any]) -> dict[str, Any]:
    return {**call, "extra_content": {"google": {"thought_signature": "of " + call["id"]}}}


def thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


ANSWERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"content": "Yes."}, {}),
    ({"content": "I look.", "tool_calls": CALLS}, {}),
    ({"content": None, "tool_calls": CALLS}, {}),
    ({"content": None, "refusal": "No."}, {"refusals": True}),
    ({"content": None, "tool_calls": [CUSTOM_CALL]}, {"custom_tools": "native"}),
    (
        {"content": None, "reasoning_content": "Hm.", "tool_calls": CALLS},
        {"reasoning_out": "reasoning_content"},
    ),
    ({"content": "Yes.", "reasoning": "Hm.\n\n"}, {"reasoning_out": "reasoning"}),
    (
        {"content": "Yes.", "reasoning_details": DETAILS, "tool_calls": CALLS},
        {"reasoning_out": "details"},
    ),
    (
        {"content": [thinking("Hm."), {"type": "text", "text": "Yes."}]},
        {"reasoning_out": "thinking"},
    ),
    (
        {"content": None, "tool_calls": [signed(CALLS[0]), CALLS[1]]},
        {"reasoning_out": "signatures", "reasoning_required": True},
    ),
    (
        {"content": "<think>\nHm.\n</think>\n\nYes."},
        {"reasoning_out": "tags", "think_tags": "paired"},
    ),
]


@pytest.mark.parametrize(("message", "quirks"), ANSWERS)
@pytest.mark.parametrize("keeps_content", [True, False])
def test_an_answer_goes_back_as_it_came(
    read: Read,
    encode: Encode,
    message: dict[str, Any],
    quirks: dict[str, Any],
    keeps_content: bool,
) -> None:
    message = {"role": "assistant", **message}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    outcome = read([msgspec.json.encode(whole)], whole=True, **quirks)
    items = [msgspec.to_builtins(item) for item in outcome.response.output]
    for item in items:
        if item["type"] == "reasoning" and not keeps_content and "encrypted_content" in item:
            item.pop("content", None)  # many clients send back nothing but what is encrypted
    outputs = [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": "x"}
        for item in items
        if item["type"].endswith("_call")
    ]
    sent = encode({"input": [*items, *outputs]}, **quirks)["messages"]
    assert sent[0] == message
    assert [made["role"] for made in sent[1:]] == ["tool"] * len(outputs)
