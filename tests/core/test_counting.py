"""The rule of thumb is the one that the documents state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.counting import (
    BYTES_PER_TOKEN,
    PER_ATTACHMENT,
    PER_ITEM,
    PER_TOOL,
    estimate,
)
from gateway.types.request import decode_request

DOCUMENT = Path(__file__).parents[2] / "docs" / "compatibility.md"
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9999}
TEXT = {"type": "input_text", "text": "x" * 40}


def counted(**members: Any) -> int:
    return estimate(decode_request(json.dumps({"model": "m", **members})))


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": parts}]


def test_a_text_counts_by_its_bytes() -> None:
    assert counted(input="") == PER_ITEM
    assert counted(input="x" * 40) == counted(input=user(TEXT)) - 1  # the role
    assert counted(input="\u00e4" * 40) - PER_ITEM == 80 / BYTES_PER_TOKEN
    assert counted(input="", instructions="x" * 40) == PER_ITEM + 10


def test_an_attachment_counts_the_same_whatever_its_size() -> None:
    assert counted(input=user(TEXT, PICTURE)) - counted(input=user(TEXT)) == PER_ATTACHMENT


def test_tools_and_schemas_count() -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    assert counted(input="", tools=[tool]) > PER_ITEM + PER_TOOL
    shape = {"type": "json_schema", "name": "n", "schema": {"description": "x" * 400}}
    assert counted(input="", text={"format": shape}) > PER_ITEM + 100


@pytest.mark.parametrize(
    "item",
    [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "x" * 400},
        {"type": "function_call_output", "call_id": "c", "output": "x" * 400},
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["x" * 400]}},
        {"type": "invented", "words": ["x" * 400]},
    ],
    ids=lambda item: item["type"],
)
def test_what_tools_say_counts(item: dict[str, Any]) -> None:
    assert 100 + PER_ITEM <= counted(input=[item]) <= 104 + PER_ITEM


def test_what_no_model_reads_does_not_count() -> None:
    thought = {"type": "reasoning", "id": "rs_" + "x" * 400, "encrypted_content": "x" * 400}
    assert counted(input=[thought]) == PER_ITEM


def test_the_document_states_the_rule() -> None:
    text = DOCUMENT.read_text()
    for number in (BYTES_PER_TOKEN, PER_ITEM, PER_TOOL, PER_ATTACHMENT):
        assert f"| {number} |" in text
