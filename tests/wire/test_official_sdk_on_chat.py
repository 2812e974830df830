"""The official SDK in front of us, and an upstream that speaks Chat Completions behind us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import openai
import pydantic
import pytest

from gateway.testing import ScriptedUpstream, json_answer

if TYPE_CHECKING:
    from .conftest import AsyncSdk, Invented, SyncSdk

    Sdk = SyncSdk | AsyncSdk

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


class Story(pydantic.BaseModel):
    hero: str
    stars: int


def call(index: int, identifier: str, arguments: str) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": arguments}
    return {"index": index, "id": identifier, "type": "function", "function": function}


async def test_create_asks_for_a_stream_and_answers_whole(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented, keys: Mapping[str, str]
) -> None:
    upstream.add(invented.chat({"role": "assistant", "content": "Luna "}, {"content": "slept."}))
    answer = await sdk.call(
        lambda c: c.responses.create(model="chatty", input="hello", instructions="be brief")
    )
    assert answer.output_text == "Luna slept."
    assert (answer.model, answer.status, answer.usage.total_tokens) == ("chatty", "completed", 7)
    [received] = upstream.requests
    assert received.path == "/chat/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {keys['upstream']}"
    assert keys["alpha"] not in str(received)
    sent = received.json()
    assert (sent["model"], sent["stream"]) == ("chat-upstream", True)
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]


async def test_a_completion_streams_as_events(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Luna "}, {"content": "slept."}))
    events = await sdk.iterate(
        lambda c: c.responses.create(model="chatty", input="hello", stream=True)
    )
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["Luna ", "slept."]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == "Luna slept."


async def test_the_stream_helper_accepts_a_completion(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": '{"hero": "Luna", '}, {"content": '"stars": 7}'}))
    events, final = await sdk.stream(
        lambda c: c.responses.stream(model="chatty", input="hello", text_format=Story)
    )
    assert events[-1].type == "response.completed"
    assert final.output_parsed == Story(hero="Luna", stars=7)


async def test_parse_sends_the_schema_as_a_response_format(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": '{"hero": "Luna", "stars": 7}'}))
    answer = await sdk.call(
        lambda c: c.responses.parse(model="chatty", input="hello", text_format=Story)
    )
    assert answer.output_parsed == Story(hero="Luna", stars=7)
    sent = upstream.requests[0].json()["response_format"]
    assert sent["type"] == "json_schema"
    assert set(sent["json_schema"]["schema"]["properties"]) == {"hero", "stars"}


async def test_parallel_function_calls_come_and_their_outputs_go(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    deltas: list[dict[str, Any]] = [
        {"tool_calls": [call(0, "call_1", '{"city":')]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]},
        {"tool_calls": [call(1, "call_2", '{"city":"Bern"}')]},
    ]
    upstream.add(
        invented.chat(*deltas, finish="tool_calls"), invented.chat({"content": "Warm, cold."})
    )
    _, first = await sdk.stream(
        lambda c: c.responses.stream(model="chatty", input="weather?", tools=[WEATHER])
    )
    calls = [item for item in first.output if item.type == "function_call"]
    assert [(c.call_id, c.name, json.loads(c.arguments)) for c in calls] == [
        ("call_1", "get_weather", {"city": "Rome"}),
        ("call_2", "get_weather", {"city": "Bern"}),
    ]
    outputs = [
        {"type": "function_call_output", "call_id": c.call_id, "output": "20"} for c in calls
    ]
    history = [{"role": "user", "content": "weather?"}, *calls, *outputs]
    second = await sdk.call(
        lambda c: c.responses.create(model="chatty", input=history, tools=[WEATHER])
    )
    assert second.output_text == "Warm, cold."
    roles = [message["role"] for message in upstream.requests[1].json()["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]


async def test_an_error_of_a_chat_upstream_names_what_to_change(
    sdk: Sdk, upstream: ScriptedUpstream
) -> None:
    error = {"message": "This model's maximum context length is 8192 tokens", "code": 400}
    upstream.add(json_answer({"error": error}, status=400))
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.call(lambda c: c.responses.create(model="chatty", input="hello", stream=True))
    assert (raised.value.code, raised.value.param) == ("context_length_exceeded", "input")
