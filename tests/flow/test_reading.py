"""Tools that the gateway runs for models of an upstream that speaks the Responses API; invented."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Streamed
from gateway.errors import InvalidRequestError
from gateway.stream.lifecycle import violations
from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer

from .library import FREE, LIBRARY, Library, approval, ask_for_approval, calls, sent, types

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
LENT = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "mcp__library__lend",
    "arguments": '{"title": "Emma"}',
    "status": "completed",
}
ENJOY = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "phase": "final_answer",
    "content": [{"type": "output_text", "text": "Enjoy.", "annotations": [], "logprobs": []}],
}


@pytest.fixture
def lending(
    open_gateway: OpenGateway,
    deploy: Callable[..., ModelEntry],
    upstream: ScriptedUpstream,
    library: Library,
) -> Callable[[], Any]:
    """Return a function that opens a gateway which runs the tools of an OpenAI model."""
    return lambda: open_gateway(deploy(upstream, tools="gateway"), runners=[library])


def answer(*items: dict[str, Any]) -> Script:
    """Return a stream of whole items."""
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {"id": "resp_up"}}]
    for index, item in enumerate(items):
        place = {"output_index": index, "item": item}
        events += [{"type": f"response.output_item.{step}", **place} for step in ("added", "done")]
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    response = {"id": "resp_up", "status": "completed", "output": items, "usage": usage}
    events += [{"type": "response.completed", "response": response}]
    return event_stream(*(f"data: {json.dumps(event)}\n\n".encode() for event in events))


async def test_a_native_model_calls_tools_of_the_gateway(
    lending: OpenGateway, upstream: ScriptedUpstream, library: Library
) -> None:
    upstream.add(answer(THOUGHT, LENT), answer(ENJOY))
    async with lending() as gateway:
        events = await gateway.stream(tools=[FREE])
    assert violations(events) == []
    response = events[-1]["response"]
    assert types(response) == ["mcp_list_tools", "reasoning", "mcp_call", "message"]
    assert response["output"][3]["phase"] == "final_answer"
    assert response["usage"]["total_tokens"] == 14
    assert library.calls == [("lend", '{"title": "Emma"}')]
    first, second = await sent(upstream), await sent(upstream)
    assert first["store"] is False
    assert [tool["type"] for tool in first["tools"]] == ["function"] * 3
    assert second["input"] == [
        {"type": "message", "role": "user", "content": "hello"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {name: value for name, value in LENT.items() if name not in ("id", "status")},
        {"type": "function_call_output", "call_id": "call_1", "output": "lent Emma"},
    ]


async def test_encrypted_reasoning_is_the_same_with_and_without_tools(
    lending: OpenGateway, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(answer(THOUGHT, ENJOY), says.whole(), answer(ENJOY))
    async with lending() as gateway:
        first = await gateway.ask(tools=[FREE], store=False)
        history = [{"role": "user", "content": "hello"}, *first["output"][1:]]
        await gateway.ask(input=history, store=False)
        await gateway.ask(tools=[FREE], input=history, store=False)
    assert first["output"][1]["encrypted_content"] == "gAAA"
    for body in [await sent(upstream) for _ in range(3)][1:]:
        thoughts = [item for item in body["input"] if item.get("type") == "reasoning"]
        assert [thought["encrypted_content"] for thought in thoughts] == ["gAAA"]


async def test_a_model_that_does_not_reason_is_asked_again_for_less(
    lending: OpenGateway, upstream: ScriptedUpstream
) -> None:
    error = {"message": "Not supported with this model.", "type": "invalid_request_error"}
    refusal = json_answer({"error": {**error, "param": "include", "code": None}}, status=400)
    upstream.add(refusal, answer(LENT), refusal, answer(ENJOY))
    async with lending() as gateway:
        response = await gateway.ask(tools=[FREE])
    assert types(response) == ["mcp_list_tools", "mcp_call", "message"]
    bodies = [await sent(upstream) for _ in range(4)]
    assert ["include" in body for body in bodies] == [True, False, True, False]


async def test_what_the_upstream_answers_itself_is_not_waited_for(
    lending: OpenGateway, upstream: ScriptedUpstream
) -> None:
    search = {"type": "tool_search_call", "id": "tsc_1", "call_id": None, "execution": "server"}
    found = {**search, "type": "tool_search_output", "id": "tso_1", "tools": []}
    upstream.add(answer(search, found, LENT), answer(ENJOY))
    async with lending() as gateway:
        response = await gateway.ask(tools=[FREE, {"type": "tool_search"}])
    assert types(response)[-2:] == ["mcp_call", "message"]


async def test_an_approved_call_is_made_for_a_native_model(
    lending: OpenGateway, upstream: ScriptedUpstream, library: Library
) -> None:
    upstream.add(answer(LENT), answer(ENJOY))
    async with lending() as gateway:
        request = (await ask_for_approval(gateway))["output"][-1]
        history = [{"role": "user", "content": "hello"}, request, approval(request)]
        tools = [{**FREE, "require_approval": "always"}]
        response = await gateway.ask(tools=tools, input=history)
    assert types(response)[-2:] == ["mcp_call", "message"]
    assert library.calls == [("lend", '{"title": "Emma"}')]
    _, second = await sent(upstream), await sent(upstream)
    told = [item["type"] for item in second["input"]]
    assert told == ["message", "function_call", "function_call_output"]


async def test_what_the_gateway_asked_is_never_answered_to_an_upstream(
    open_gateway: OpenGateway,
    deploy: Callable[..., ModelEntry],
    upstream: ScriptedUpstream,
    library: Library,
) -> None:
    models = deploy(upstream, model="groq/gpt"), deploy(upstream, name="native")
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), answer(ENJOY), answer(ENJOY))
    async with open_gateway(*models, runners=[library]) as gateway:
        asked = await ask_for_approval(gateway, store=False)
        request = asked["output"][-1]
        history = [{"role": "user", "content": "hello"}, *asked["output"], approval(request)]
        answered: dict[str, Any] = {"tools": [LIBRARY], "store": False, "input": history}
        response = await gateway.ask(model="native", **answered)
        with pytest.raises(InvalidRequestError):
            await gateway.ask(model="native", **answered)
    assert types(response) == ["mcp_call", "message"]
    assert library.calls == [("lend", '{"title": "Emma"}')]


async def test_all_servers_of_a_request_are_run_here_if_one_is_but_for_connectors(
    open_gateway: OpenGateway,
    deploy: Callable[..., ModelEntry],
    upstream: ScriptedUpstream,
    library: Library,
) -> None:
    own = {"type": "mcp", "server_label": "own", "require_approval": "never"}
    connector = {"type": "mcp", "server_label": "mail", "connector_id": "connector_gmail"}
    upstream.add(answer(ENJOY), answer(ENJOY))
    async with open_gateway(deploy(upstream), runners=[library]) as gateway:
        response = await gateway.ask(tools=[FREE, own, connector])
        passed = await gateway.send(tools=[FREE, connector], stream=True)
        assert isinstance(passed, Streamed)
        await passed.blocks.aclose()
    assert types(response) == ["mcp_list_tools", "mcp_list_tools", "message"]
    mixed, native = await sent(upstream), await sent(upstream)
    assert [tool["type"] for tool in mixed["tools"]] == ["mcp", *["function"] * 6]
    assert mixed["tools"][0]["server_label"] == "mail"
    assert native["tools"] == [FREE, connector]
