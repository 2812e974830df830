"""A provider that is none of ours answers the official SDK, through a gateway in a process.

Acme is invented, and so is all that it says here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

import openai
import pytest
import pytest_asyncio

from gateway.testing import Received, Script, ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway
    from tests.third_party.conftest import Installation

Ask = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "the-invented-key"
QUESTION: dict[str, Any] = {"role": "user", "content": "What is the weather in Oslo?"}
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "description": "Tell the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
SQL: dict[str, Any] = {"type": "custom", "name": "sql", "description": "Run a query."}
QUERY = "SELECT sky FROM oslo"


def says(*events: tuple[str, dict[str, Any]]) -> Script:
    """Return an answer of Acme's, each event in a chunk of its own."""
    end = ("end", {"why": "done", "read": 31, "wrote": 9})
    return event_stream(
        *(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode() for kind, data in [*events, end])
    )


def insists_on_its_proof(received: Received) -> Script:
    """Call the weather, then say what it was, if the thought before the call is Acme's own."""
    _, *turns = received.json()["turns"]
    if not turns:
        return says(
            ("thought", {"text": "I have to "}),
            ("thought", {"text": "look it up.", "proof": "invented-proof"}),
            ("call", {"id": "c1", "tool": "weather", "args": '{"city":'}),
            ("call", {"id": "c1", "args": '"Oslo"}'}),
        )
    thought, call, result = turns
    if thought.get("proof") != "invented-proof" or thought["thought"] != "I have to look it up.":
        return says(("trouble", {"status": 400, "message": "that was not my thought"}))
    assert call["call"] == {"id": "c1", "tool": "weather", "args": '{"city":"Oslo"}'}
    return says(("text", {"text": f"In Oslo it is {result['text']}."}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def proxy(
    shared_upstream: ScriptedUpstream, run_gateway: RunGateway, acme: Installation
) -> Generator[GatewayProcess]:
    """Run a gateway in the environment that gateway-acme is installed in."""
    params = {"model": "acme/large", "base_url": shared_upstream.url, "api_key": KEY, "retries": 0}
    config = {"model_list": [{"model_name": "large", "params": params}]}
    with run_gateway(config, python=acme.python) as process:
        yield process


@pytest.fixture
def upstream(shared_upstream: ScriptedUpstream) -> ScriptedUpstream:
    shared_upstream.forget()
    return shared_upstream


@pytest_asyncio.fixture(loop_scope="module")
async def sdk(proxy: GatewayProcess) -> AsyncGenerator[openai.AsyncOpenAI]:
    url = f"{proxy.url}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key="nobody's", max_retries=0) as client:
        yield client


@pytest.fixture(params=["whole", "streamed"])
def ask(sdk: openai.AsyncOpenAI, request: pytest.FixtureRequest) -> Ask:
    """Return a function that asks the model and returns the response, however it came."""

    async def whole(**body: Any) -> Any:
        return await sdk.responses.create(model="large", **body)

    async def streamed(**body: Any) -> Any:
        async with sdk.responses.stream(model="large", **body) as stream:
            return await stream.get_final_response()

    return whole if request.param == "whole" else streamed


async def test_it_answers_through_the_proxy(ask: Ask, upstream: ScriptedUpstream) -> None:
    upstream.add(says(("text", {"text": "It "}), ("text", {"text": "rains."})))
    answer = await ask(input="How is it?", instructions="Be brief.", max_output_tokens=50)
    assert (answer.output_text, answer.model, answer.status) == ("It rains.", "large", "completed")
    assert answer.usage.total_tokens == 40
    (received,) = upstream.requests
    assert (received.path, received.headers["acme-key"]) == ("/v2/generate", KEY)
    assert received.json() == {
        "model": "large",
        "live": True,
        "system": "Be brief.",
        "turns": [{"from": "user", "text": "How is it?"}],
        "limit": 50,
    }


async def test_its_thoughts_come_back_to_it_with_their_proof(
    ask: Ask, upstream: ScriptedUpstream
) -> None:
    upstream.handle("/v2/generate", insists_on_its_proof)
    first = await ask(input=[QUESTION], tools=[WEATHER])
    thought, call = first.output
    assert thought.content[0].text == "I have to look it up."
    assert "invented-proof" not in first.to_json()
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Oslo"})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "cold"}
    second = await ask(input=[QUESTION, *first.output, result], tools=[WEATHER])
    assert second.output_text == "In Oslo it is cold."


async def test_a_custom_tool_reaches_it_as_a_function(ask: Ask, upstream: ScriptedUpstream) -> None:
    upstream.add(
        says(("call", {"id": "c1", "tool": "sql", "args": json.dumps({"input": QUERY})})),
        says(("text", {"text": "It is grey."})),
    )
    first = await ask(input=[QUESTION], tools=[SQL])
    (call,) = first.output
    assert (call.type, call.name, call.input) == ("custom_tool_call", "sql", QUERY)
    (tool,) = upstream.requests[0].json()["tools"]
    assert (tool["name"], tool["schema"]["required"]) == ("sql", ["input"])
    result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "grey"}
    second = await ask(input=[QUESTION, call, result], tools=[SQL])
    assert second.output_text == "It is grey."
    _, made, given = upstream.requests[1].json()["turns"]
    assert json.loads(made["call"]["args"]) == {"input": QUERY}
    assert given == {"from": "tool", "id": "c1", "text": "grey"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"top_p": 0.5}, "top_p"),
        ({"tool_choice": "required", "tools": [WEATHER]}, "tool_choice"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"text": {"format": {"type": "json_object"}}}, "text"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x:"}]}]},
            "input[0].content[0].type",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_it_cannot_do_is_refused_by_name(
    sdk: openai.AsyncOpenAI, upstream: ScriptedUpstream, body: dict[str, Any], param: str
) -> None:
    question: dict[str, Any] = {"input": "hello", **body}
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.responses.create(model="large", **question)
    assert raised.value.param == param
    assert upstream.requests == []


async def test_hints_that_it_does_not_know_are_dropped_and_named(
    sdk: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.add(says(("text", {"text": "Hello."})))
    question: dict[str, Any] = {
        "input": "hello",
        "tools": [{**WEATHER, "strict": True}],
        "tool_choice": "auto",
        "reasoning": {"effort": "high", "summary": "auto"},
    }
    answer = await sdk.responses.with_raw_response.create(model="large", **question)
    assert answer.headers["x-gateway-dropped-params"] == "reasoning.summary, tools[0].strict"
    assert upstream.requests[0].json()["effort"] == "high"


async def test_its_failures_are_told_apart(
    sdk: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.add(says(("trouble", {"status": 429, "message": "come back later"})))
    with pytest.raises(openai.RateLimitError, match="acme: come back later"):
        await sdk.responses.create(model="large", input="hello")
