"""The model is asked for a summary of all that was said, in plain words and without tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.compaction import ask_for_summary
from gateway.core.compaction.transcript import INSTRUCTIONS, transcript
from gateway.testing.samples import ITEMS
from gateway.types.items import Message
from gateway.types.request import Request, decode_request
from gateway.types.wire import encode

PARTS = [
    {"type": "input_text", "text": "Look:"},
    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
]


def told(*items: dict[str, Any]) -> str:
    decoded = decode_request(json.dumps({"input": items})).input
    assert isinstance(decoded, tuple)
    return transcript(decoded)


def test_a_conversation_reads_like_one() -> None:
    assert told(
        {"role": "user", "content": PARTS},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": PARTS[:1]},
    ) == (
        "[user]\nLook:\n(image)\n(file a.pdf)\n\n[assistant]\nNo.\n\n"
        '[call c1 of the tool f]\n{"a":1}\n\n[output of c1]\nLook:'
    )


@pytest.mark.parametrize("kind", ITEMS)
def test_every_kind_of_item_can_be_told(kind: str) -> None:
    silent = {"reasoning", "additional_tools", "configuration_update"}
    silent |= {"mcp_list_tools", "mcp_approval_response"}
    assert bool(told({"type": kind, **ITEMS[kind]})) is (kind not in silent)


def test_calls_of_mcp_servers_are_told_with_what_came_of_them() -> None:
    asked = {"server_label": "wiki", "name": "ask", "arguments": '{"a":1}'}
    assert told(
        {"type": "mcp_approval_request", "id": "mcpr_1", **asked},
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False},
        {"type": "mcp_call", "id": "mcp_2", "output": "because", **asked},
    ) == (
        '[call call_1 of the tool mcp__wiki__ask]\n{"a":1}\n\n'
        '[call call_2 of the tool mcp__wiki__ask]\n{"a":1}\n\n'
        "[output of call_1]\nThe user denied this call.\n\n[output of call_2]\nbecause"
    )


def test_a_tool_that_nobody_knows_is_told_with_all_its_words() -> None:
    assert told({"type": "new_call", "id": "x", "words": ["one"]}) == (
        '[new_call]\n{"words":["one"]}'
    )


def test_instructions_are_not_summarised() -> None:
    assert told({"role": "developer", "content": "Be brief."}) == ""


def test_the_request_is_a_plain_one_for_the_same_model() -> None:
    client = decode_request(
        json.dumps(
            {
                "model": "m",
                "input": "hello",
                "tools": [{"type": "function", "name": "f", "parameters": {}}],
                "tool_choice": "required",
                "text": {"format": {"type": "json_object"}},
                "max_output_tokens": 5,
                "stream": True,
                "user": "someone",
            }
        )
    )
    asked = ask_for_summary(client, (Message(role="user", content="hello"),), "Mind the dates.")
    assert asked.input is not None
    rest = Request(model="m", instructions=asked.instructions, input=asked.input, user="someone")
    assert asked == rest
    assert asked.instructions is not None
    assert asked.instructions.startswith(INSTRUCTIONS)
    assert asked.instructions.endswith("Mind the dates.")
    assert "[user]\\nhello" in encode(asked.input).decode()
