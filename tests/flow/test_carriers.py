"""What a vendor wants back of its reasoning comes back, sealed on the way, and to it alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.testing import Script, ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]

DETAIL = {"type": "reasoning.encrypted", "data": "b3BhcXVl", "id": "r1", "index": 0}
QUESTION = {"role": "user", "content": "Is it raining?"}


def thinks_and_calls() -> Script:
    """An invented answer: reasoning that only its maker can read, then a call."""
    function = {"name": "weather", "arguments": "{}"}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    deltas: list[dict[str, Any]] = [{"reasoning_details": [DETAIL]}, {"tool_calls": [call]}]
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": one}]} for one in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return event_stream(*frames, b"data: [DONE]\n\n")


async def follow_up(gateway: Gateway, output: list[dict[str, Any]], **body: Any) -> None:
    result = {"type": "function_call_output", "call_id": "call_1", "output": "no"}
    await gateway.ask(input=[QUESTION, *output, result], **body)


@pytest.fixture
def routed(upstream: ScriptedUpstream, deploy: Deploy) -> ModelEntry:
    return deploy(upstream, model="openrouter/acme/thinker")


async def test_a_carrier_comes_back_as_it_was(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, routed: ModelEntry
) -> None:
    upstream.add(thinks_and_calls(), says.chat("No."))
    async with open_gateway(routed) as gateway:
        output = (await gateway.ask(input=[QUESTION]))["output"]
        assert [item["type"] for item in output] == ["reasoning", "function_call"]
        assert "b3BhcXVl" not in json.dumps(output)
        await follow_up(gateway, output)
    asked = upstream.requests[-1].json()["messages"][1]
    assert asked["reasoning_details"] == [DETAIL]
    assert asked["tool_calls"][0]["id"] == "call_1"


async def test_a_stream_says_the_carrier_that_the_response_holds(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, routed: ModelEntry
) -> None:
    upstream.add(thinks_and_calls())
    async with open_gateway(routed) as gateway:
        events = await gateway.stream(input=[QUESTION])
    done = next(event["item"] for event in events if event["type"] == "response.output_item.done")
    assert done["type"] == "reasoning"
    assert done["encrypted_content"].startswith("gw1.")
    assert done == events[-1]["response"]["output"][0]


async def test_another_model_does_not_get_it(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
    routed: ModelEntry,
) -> None:
    upstream.add(thinks_and_calls(), says.chat("No."))
    another = deploy(upstream, name="other", model="openrouter/rival/thinker")
    async with open_gateway(routed, another) as gateway:
        output = (await gateway.ask(input=[QUESTION]))["output"]
        await follow_up(gateway, output, model="other")
    body = upstream.requests[-1].body.decode()
    assert "reasoning" not in body
    assert output[0]["encrypted_content"] not in body


async def test_what_openai_encrypted_goes_to_nobody_else(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, routed: ModelEntry
) -> None:
    upstream.add(says.chat("No."))
    foreign = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAB"}
    async with open_gateway(routed) as gateway:
        await gateway.ask(input=[QUESTION, foreign, {"role": "user", "content": "Well?"}])
    assert "gAAAAAB" not in upstream.requests[-1].body.decode()
