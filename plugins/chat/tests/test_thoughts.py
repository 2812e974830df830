"""Reasoning that goes back with the turn that it led to."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

Encode = Callable[..., dict[str, Any]]


def call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def output(call_id: str, value: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def thought(text: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "id": "rs_1", "summary": [], "content": content, **members}


def messages(encode: Encode, items: list[dict[str, Any]], **quirks: Any) -> list[dict[str, Any]]:
    return encode({"input": items}, **quirks)["messages"]


def carrying(carrier: dict[str, Any], **members: Any) -> dict[str, Any]:
    encrypted = msgspec.json.encode(carrier).decode()
    return {"type": "reasoning", "summary": [], "encrypted_content": encrypted, **members}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_with_the_turn_that_it_led_to(encode: Encode, field: str) -> None:
    items = [thought("Hm."), call("a"), output("a"), thought("Oh."), said("assistant", "Yes.")]
    acting, _, speaking = messages(encode, items, reasoning_out=field)
    assert acting[field] == "Hm."
    assert speaking == {"role": "assistant", "content": "Yes.", field: "Oh."}
    assert field not in messages(encode, items)[0]


@pytest.mark.parametrize(
    "item",
    [
        carrying({"text": "Hm."}),
        carrying({"text": "Hm."}, content=[{"type": "reasoning_text", "text": "shortened"}]),
        {
            "type": "reasoning",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    ],
)
def test_the_text_is_the_carried_one_or_what_can_be_read(
    encode: Encode, item: dict[str, Any]
) -> None:
    sent = messages(encode, [item, call("a"), output("a")], reasoning_out="reasoning")
    assert sent[0]["reasoning"] == "Hm."


def test_reasoning_goes_back_between_tags(encode: Encode) -> None:
    items = [thought("Hm."), said("assistant", "Yes."), thought("Oh."), call("a"), output("a")]
    sent = messages(encode, items, reasoning_out="tags")
    assert sent[0]["content"] == "<think>Hm.\nOh.</think>\n\nYes."


def signature_of(made: dict[str, Any]) -> str:
    return made["extra_content"]["google"]["thought_signature"]


def test_signatures_go_back_to_where_they_came_from(encode: Encode) -> None:
    items = [
        carrying({"signatures": {"b": "of b"}}),
        call("a"),
        call("b"),
        output("a"),
        output("b"),
        carrying({"signatures": {"": "of the text"}}),
        said("assistant", "Yes."),
    ]
    acting, _, _, speaking = messages(encode, items, reasoning_out="signatures")
    a, b = acting["tool_calls"]
    assert "extra_content" not in a
    assert signature_of(b) == "of b"
    assert signature_of(speaking) == "of the text"


def test_calls_of_another_model_are_marked_as_unsigned(encode: Encode) -> None:
    items = [call("a"), call("b"), output("a"), output("b")]
    quirks = {"reasoning_out": "signatures", "reasoning_required": True}
    a, b = messages(encode, items, **quirks)[0]["tool_calls"]
    assert signature_of(a) == "skip_thought_signature_validator"
    assert "extra_content" not in b


def test_reasoning_that_is_missed_is_sent_empty(encode: Encode) -> None:
    items = [call("a"), output("a")]
    quirks = {"reasoning_out": "reasoning_content"}
    assert "reasoning_content" not in messages(encode, items, **quirks)[0]
    assert messages(encode, items, reasoning_required=True, **quirks)[0]["reasoning_content"] == ""


def test_reasoning_details_go_back_as_they_came(encode: Encode) -> None:
    details = [{"type": "reasoning.encrypted", "data": "xyz", "index": 0}]
    carrier = msgspec.json.encode({"details": details}).decode()
    items = [thought("Hm.", encrypted_content=carrier), call("a"), output("a")]
    assert messages(encode, items, reasoning_out="details")[0]["reasoning_details"] == details


@pytest.mark.parametrize("carrier", ["gAAAA", '{"a": 1}', None])
def test_the_carrier_of_another_vendor_is_left_out(encode: Encode, carrier: str | None) -> None:
    items = [thought("Hm.", encrypted_content=carrier), call("a"), output("a")]
    assert "reasoning_details" not in messages(encode, items, reasoning_out="details")[0]


def test_reasoning_goes_back_to_mistral_as_a_part(encode: Encode) -> None:
    items = [thought("Hm."), said("assistant", "I look."), call("a"), output("a")]
    assert messages(encode, items, reasoning_out="thinking")[0]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "I look."},
    ]


def test_a_turn_of_reasoning_alone_is_not_sent(encode: Encode) -> None:
    assert messages(encode, [thought("Hm."), said("user", "Hi")]) == [said("user", "Hi")]
