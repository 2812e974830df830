"""Interactions through a running gateway, with an invented Google."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway import Gateway
from gateway.testing import ScriptedUpstream, json_answer

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
QUESTION = {"type": "user_input", "content": [{"type": "text", "text": "What is there?"}]}
STEPS = [
    {"type": "google_search_call", "id": "s", "arguments": {"queries": ["a"]}, "signature": "YQ=="},
    {"type": "google_search_result", "call_id": "s", "result": [], "signature": "Yg=="},
    {"type": "thought", "summary": [{"type": "text", "text": "Hm."}], "signature": "Yw=="},
    {"type": "model_output", "content": [{"type": "text", "text": "Let me look."}]},
    {"type": "function_call", "id": "call_1", "name": "look", "arguments": {"at": "café"}},
]
RESULT = {"type": "function_result", "call_id": "call_1", "name": "look", "result": "a cat"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "a cat"}


@pytest_asyncio.fixture
async def google() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest_asyncio.fixture
async def gateway(google: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Gateway]:
    params = {
        "model": "gemini_interactions/gemini-3.5-flash",
        "base_url": google.url,
        "api_key": "invented-key",
    }
    models = [{"model_name": "ours", "params": params}]
    config = tmp_path / "gateway.yaml"
    config.write_text(json.dumps({"model_list": models, "state": {"directory": str(tmp_path)}}))
    async with Gateway.from_config(config) as running:
        yield running


def told(*steps: dict[str, Any], status: str = "completed", **more: Any) -> Any:
    return json_answer({"id": "v1_invented", "status": status, "steps": steps, **more})


def sent(google: ScriptedUpstream) -> list[Any]:
    return [json.loads(request.body) for request in google.requests]


@pytest.mark.parametrize("stored", [True, False])
async def test_the_next_turn_brings_all_steps_as_they_were(
    stored: bool, google: ScriptedUpstream, gateway: Gateway
) -> None:
    google.add(told(*STEPS, status="requires_action"))
    google.add(told({"type": "model_output", "content": [{"type": "text", "text": "A cat."}]}))
    asked: dict[str, Any] = {"model": "ours", "tools": [LOOK, {"type": "web_search"}]}
    first = await gateway.responses(input="What is there?", store=stored, **asked)
    if stored:
        asked |= {"previous_response_id": first.id, "input": [OUTPUT]}
    else:
        items = [item.to_dict() for item in first.output]
        asked["input"] = [{"role": "user", "content": "What is there?"}, *items, OUTPUT]
    second = await gateway.responses(store=stored, **asked)
    assert second.output_text == "A cat."
    assert [body["input"] for body in sent(google)] == [[QUESTION], [QUESTION, *STEPS, RESULT]]
    assert google.requests[1].path == "/interactions"
    assert google.requests[1].headers["x-goog-api-key"] == "invented-key"
    assert google.requests[1].headers["api-revision"]


async def test_a_pause_is_not_noticed(google: ScriptedUpstream, gateway: Gateway) -> None:
    begun = {"type": "model_output", "content": [{"type": "text", "text": '{"a":'}]}
    ended = {"type": "model_output", "content": [{"type": "text", "text": "1}"}]}
    google.add(told(begun, status="requires_continuation", continuation_token="dG9rZW4="))
    google.add(told(ended))
    answer = await gateway.responses(model="ours", input="What is there?")
    assert [item.type for item in answer.output] == ["message"]
    assert answer.output_text == '{"a":1}'
    first, second = sent(google)
    assert second == {**first, "continuation_token": "dG9rZW4="}
