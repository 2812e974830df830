"""The official SDK compacts, counts and outgrows a model that speaks Chat Completions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from openresponses_types import types

from gateway.testing import ScriptedUpstream, json_answer

if TYPE_CHECKING:
    from .conftest import AsyncSdk, Invented, Refuses, SyncSdk

    Sdk = SyncSdk | AsyncSdk

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "a cat"}
TALK: list[Any] = [{"role": "user", "content": "Where is the cat?"}, CALL, OUTPUT]
CODEX: dict[str, Any] = {
    "model": "chatty",
    "stream": True,
    "store": False,
    "tools": [{"type": "function", "name": "look", "parameters": {}}, {"type": "web_search"}],
    "input": [
        {"type": "message", "role": "developer", "content": "You are a coding agent."},
        *TALK,
        {"type": "compaction_trigger"},
    ],
}


async def test_a_compacted_conversation_goes_on(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "A cat was found."}), invented.chat({"content": "Yes."}))
    compacted = await sdk.call(lambda c: c.responses.compact(model="chatty", input=TALK))
    plain = compacted.to_dict(warnings=False)  # the SDK's types know no users in an output
    types.CompactResource.model_validate(plain)
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert compacted.usage.total_tokens == 7
    items = [*plain["output"], {"role": "user", "content": "Sure?"}]
    answer = await sdk.call(lambda c: c.responses.create(model="chatty", input=items))
    assert answer.output_text == "Yes."
    sent = json.dumps(upstream.requests[-1].json()["messages"])
    assert "A cat was found." in sent
    assert "Where is the cat?" in sent
    assert "tool_calls" not in sent


async def test_the_stream_helper_reads_a_compaction(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "A cat was found."}))
    items = [*TALK, {"type": "compaction_trigger"}]
    events, final = await sdk.stream(
        lambda c: c.responses.stream(model="chatty", input=items, store=False)
    )
    assert [item.type for item in final.output] == ["compaction"]
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert [item.to_dict() for item in done] == [item.to_dict() for item in final.output]


async def test_codex_gets_exactly_one_compaction(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "A cat was found."}))
    answer = await http.post("/responses", json=CODEX)
    lines = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert events[-1]["type"] == "response.completed"
    kinds = [e["item"]["type"] for e in events if e["type"] == "response.output_item.done"]
    assert kinds == ["compaction"]


async def test_context_management_compacts_on_the_way(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "S."}), invented.chat({"content": "Yes."}))
    answer = await sdk.call(
        lambda c: c.responses.create(
            model="chatty",
            input=[*TALK, {"role": "user", "content": "Sure?"}],
            context_management=[{"type": "compaction", "compact_threshold": 5}],
        )
    )
    assert [item.type for item in answer.output] == ["message", "compaction"]
    assert answer.output_text == "Yes."
    assert answer.usage.total_tokens == 14


async def test_a_compaction_of_another_tenant_is_refused(
    http: httpx2.AsyncClient,
    refuses: Refuses,
    upstream: ScriptedUpstream,
    invented: Invented,
    keys: Mapping[str, str],
) -> None:
    upstream.add(invented.chat({"content": "S."}))
    beta = {"authorization": f"Bearer {keys['beta']}"}
    asked = {"model": "chatty", "input": "hello"}
    made = (await http.post("/responses/compact", json=asked, headers=beta)).json()
    expected = (
        400,
        "invalid_request_error",
        "invalid_encrypted_content",
        "input[1].encrypted_content",
    )
    await refuses(expected, json={"model": "chatty", "input": made["output"]})


async def test_compact_needs_a_model(refuses: Refuses) -> None:
    expected = (400, "invalid_request_error", "missing_required_parameter", "model")
    await refuses(expected, "/responses/compact", json={"input": "hello"})


async def test_tokens_are_estimated_and_said_to_be(sdk: Sdk, upstream: ScriptedUpstream) -> None:
    raw = await sdk.call(
        lambda c: c.responses.input_tokens.with_raw_response.count(model="chatty", input="x" * 400)
    )
    counted = raw.parse()
    assert (counted.object, counted.input_tokens) == ("response.input_tokens", 104)
    assert raw.headers["x-gateway-estimated"] == "input_tokens"
    assert upstream.requests == []


async def test_truncation_lets_the_oldest_go(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    error = {"message": "This model's maximum context length is 8192 tokens", "code": 400}
    upstream.add(json_answer({"error": error}, status=400), invented.chat({"content": "Yes."}))
    items = [*TALK, {"role": "user", "content": "Sure?"}]
    answer = await sdk.call(
        lambda c: c.responses.create(model="chatty", input=items, truncation="auto")
    )
    assert answer.output_text == "Yes."
    assert [m["content"] for m in upstream.requests[-1].json()["messages"]] == ["Sure?"]


async def test_without_truncation_the_refusal_is_the_answer(
    sdk: Sdk, upstream: ScriptedUpstream
) -> None:
    error = {"message": "This model's maximum context length is 8192 tokens", "code": 400}
    upstream.add(json_answer({"error": error}, status=400))
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.call(lambda c: c.responses.create(model="chatty", input=TALK))
    assert raised.value.code == "context_length_exceeded"
