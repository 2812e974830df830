"""Searches of the web that the gateway makes for a model which cannot.

What the model says and what SearXNG finds is invented.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import Config, ModelEntry, Secret, ToolSettings
from gateway.core.exchange import Whole
from gateway.errors import InvalidRequestError
from gateway.stream.lifecycle import violations
from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer, page
from gateway_searxng import gateway_tool_runners

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Searching = Callable[..., Any]

SEARCH = {"type": "web_search"}
OSLO = {"url": "https://weather.example/oslo", "title": "Weather in Oslo", "content": "Rain."}
SHOP = {"url": "https://shop.example/", "title": "Umbrellas", "content": "Buy."}


def wants(*queries: str, text: str = "") -> Script:
    """Return a chat answer that says `text` and searches for `queries`."""
    deltas: list[dict[str, Any]] = [{"content": text}] if text else []
    for index, query in enumerate(queries):
        function = {"name": "web_search", "arguments": json.dumps({"query": query})}
        deltas += [{"tool_calls": [{"index": index, "id": f"call_{index}", "function": function}]}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return event_stream(*frames, b"data: [DONE]\n\n")


@pytest.fixture
async def searxng() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        server.handle("/search", lambda received: json_answer({"results": [OSLO, SHOP]}))
        yield server


@pytest.fixture
def searching(
    open_gateway: OpenGateway,
    deploy: Callable[..., ModelEntry],
    upstream: ScriptedUpstream,
    searxng: ScriptedUpstream,
) -> Searching:
    """Return a function that opens a gateway which can search, before a model."""

    @asynccontextmanager
    async def opened(model: str = "groq/gpt", **settings: Any) -> AsyncGenerator[Gateway]:
        tools = ToolSettings(runners={"searxng": {"url": Secret(searxng.url)}})
        state: Any = None  # a runner has no use for it
        runners = gateway_tool_runners(Config(state=state, tools=tools))
        async with open_gateway(
            deploy(upstream, model=model, **settings), runners=runners, tools=tools
        ) as gateway:
            yield gateway

    return opened


async def sent(upstream: ScriptedUpstream) -> dict[str, Any]:
    return (await upstream.received()).json()


async def test_a_search_is_told_as_openai_tells_it_and_its_pages_are_cited(
    searching: Searching, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(
        wants("weather in Oslo", text="Let me see."),
        says.chat("Rain (https://weather.", "example/oslo)."),
    )
    async with searching() as gateway:
        events = await gateway.stream(tools=[SEARCH])
        kept = await gateway.retrieve(events[-1]["response"]["id"])
    assert violations(events) == []
    told = [event["type"].removeprefix("response.") for event in events]
    begin = ["output_item.added", "content_part.added"]
    end = ["output_text.done", "content_part.done", "output_item.done"]
    assert told == [
        "created",
        "in_progress",
        *(*begin, "output_text.delta", *end),
        "output_item.added",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_item.done",
        *(*begin, "output_text.delta", "output_text.delta"),
        "output_text.annotation.added",
        *(*end, "completed"),
    ]
    response = events[-1]["response"]
    assert kept == response
    _, call, message = response["output"]
    assert call["id"].startswith("ws_")
    assert call == {
        "type": "web_search_call",
        "id": call["id"],
        "status": "completed",
        "action": {
            "type": "search",
            "query": "weather in Oslo",
            "queries": ["weather in Oslo"],
        },
    }
    (part,) = message["content"]
    assert part["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://weather.example/oslo",
            "title": "Weather in Oslo",
            "start_index": 6,
            "end_index": 34,
        }
    ]
    assert part["text"][6:34] == "https://weather.example/oslo"


async def test_the_model_gets_a_function_and_reads_what_was_found(
    searching: Searching, upstream: ScriptedUpstream, says: Says, searxng: ScriptedUpstream
) -> None:
    upstream.add(wants("weather in Oslo", "umbrellas"), says.chat("Rain."))
    async with searching() as gateway:
        response = await gateway.ask(tools=[SEARCH], tool_choice=SEARCH)
    assert [item["type"] for item in response["output"]] == [
        "web_search_call",
        "web_search_call",
        "message",
    ]
    first, second = await sent(upstream), await sent(upstream)
    assert [tool["function"]["name"] for tool in first["tools"]] == ["web_search"]
    assert first["tool_choice"]["function"]["name"] == "web_search"
    assert second.get("tool_choice", "auto") == "auto"
    *_, one, other = second["messages"]
    assert "https://weather.example/oslo" in one["content"]
    assert one["tool_call_id"] != other["tool_call_id"]
    assert len(searxng.requests) == 2


async def test_the_next_turn_of_a_conversation_has_no_use_for_old_searches(
    searching: Searching, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(wants("weather in Oslo"), says.chat("Rain."), says.chat("Take an umbrella."))
    async with searching() as gateway:
        first = await gateway.ask(tools=[SEARCH])
        second = await gateway.ask(input="So?", tools=[SEARCH], previous_response_id=first["id"])
    assert [item["type"] for item in second["output"]] == ["message"]
    *_, third = [await sent(upstream) for _ in range(3)]
    assert [turn["role"] for turn in third["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_search_that_fails_is_told_and_the_model_goes_on(
    searching: Searching,
    upstream: ScriptedUpstream,
    says: Says,
    searxng: ScriptedUpstream,
    stream: bool,
) -> None:
    searxng.handle("/search", lambda received: page("no", status=500))
    upstream.add(wants("weather in Oslo"), says.chat("I cannot say."))
    async with searching() as gateway:
        if stream:
            events = await gateway.stream(tools=[SEARCH])
            assert violations(events) == []
            response = events[-1]["response"]
        else:
            response = await gateway.ask(tools=[SEARCH])
    assert response["status"] == "completed"
    assert response["output"][0]["status"] == "failed"
    _, second = await sent(upstream), await sent(upstream)
    assert second["messages"][-1]["content"].startswith("The search failed")


async def test_a_search_for_nothing_is_between_the_model_and_the_gateway(
    searching: Searching, upstream: ScriptedUpstream, says: Says, searxng: ScriptedUpstream
) -> None:
    upstream.add(wants(""), says.chat("Never mind."))
    async with searching() as gateway:
        events = await gateway.stream(tools=[SEARCH])
    assert violations(events) == []
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message"]
    assert searxng.requests == []


async def test_what_the_search_cannot_do_is_refused_by_its_place(
    searching: Searching, upstream: ScriptedUpstream
) -> None:
    other = {"type": "function", "name": "f", "parameters": {}, "strict": False}
    async with searching() as gateway:
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(tools=[other, {**SEARCH, "filters": {"languages": ["no"]}}])
    assert raised.value.param == "tools[1].filters.languages"
    assert upstream.requests == []


async def test_a_provider_that_searches_by_itself_does_so_unless_the_operator_wants_otherwise(
    searching: Searching, upstream: ScriptedUpstream, says: Says
) -> None:
    async with searching(model="openai/gpt") as gateway:
        upstream.add(says.whole())
        await gateway.ask(tools=[SEARCH])
    async with searching(model="openai/gpt", tools="gateway") as gateway:
        upstream.add(says.stream())
        await gateway.ask(tools=[SEARCH])
    passed, taken = await sent(upstream), await sent(upstream)
    assert [tool["type"] for tool in passed["tools"]] == ["web_search"]
    assert [tool["type"] for tool in taken["tools"]] == ["function"]


async def test_the_sources_of_a_search_are_told_if_they_are_wanted(
    searching: Searching, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(wants("weather in Oslo"), says.chat("Rain."))
    include = ["web_search_call.action.sources"]
    async with searching() as gateway:
        reply = await gateway.send(tools=[SEARCH], include=include)
    assert isinstance(reply, Whole)
    assert "x-gateway-dropped-params" not in reply.headers
    call = json.loads(reply.body)["output"][0]
    assert call["action"]["sources"][0] == {"type": "url", "url": "https://weather.example/oslo"}
