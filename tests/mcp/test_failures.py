"""Servers and functions that fail, told by a gateway that goes on. What models say is invented."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from gateway.stream.lifecycle import violations

from .models import TOLD

NOWHERE: Any = {
    "type": "mcp",
    "server_label": "nowhere",
    "server_url": "http://127.0.0.1:1/mcp",
    "require_approval": "never",
}
RETRIEVING = "Error retrieving tool list from MCP server: 'nowhere'."

on_each = pytest.mark.parametrize("model", ["chat", "run"])


@on_each
def test_a_function_that_fails_is_told_to_the_model_and_to_the_client(
    client: openai.OpenAI, model: str, modern_url: str
) -> None:
    tool: Any = {**NOWHERE, "server_url": modern_url, "allowed_tools": ["fail"]}
    response = client.responses.create(model=model, tools=[tool], input="Fail.")
    call: Any = response.output[1].to_dict()
    assert (call["status"], call["output"]) == ("failed", None)
    assert call["error"]["type"] == "mcp_tool_execution_error"
    (part,) = call["error"]["content"]
    assert "Error executing tool fail" in part["text"]
    assert response.status == "completed"
    assert response.output_text.startswith(TOLD)
    assert response.output_text.endswith(part["text"])


@on_each
def test_a_server_that_is_not_there_fails_a_response_before_it_begins(
    client: openai.OpenAI, model: str
) -> None:
    with pytest.raises(openai.APIStatusError, match=RETRIEVING) as raised:
        client.responses.create(model=model, tools=[NOWHERE], input="Hello.")
    assert (raised.value.status_code, raised.value.param) == (424, "tools")


@on_each
def test_a_server_that_is_not_there_fails_a_stream_in_its_order(
    client: openai.OpenAI, model: str
) -> None:
    raw = client.responses.with_streaming_response
    with raw.create(model=model, tools=[NOWHERE], input="Hello.", stream=True) as answer:
        lines = list(answer.iter_lines())
    seen = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert violations(seen) == []
    assert [event["type"] for event in seen][2:] == [
        "response.output_item.added",
        "response.mcp_list_tools.in_progress",
        "response.mcp_list_tools.failed",
        "response.output_item.done",
        "error",
        "response.failed",
    ]
    assert RETRIEVING in seen[5]["item"]["error"]
    assert RETRIEVING in seen[-1]["response"]["error"]["message"]
