"""Responses that take many answers of a model, with calls of tools between them.

The tools are a library of the tests' own in the place of an MCP server. What models say is
invented.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry, Secret, ToolSettings
from gateway.core.exchange import Streamed
from gateway.errors import InvalidRequestError, ToolError, UpstreamRateLimitError
from gateway.stream.lifecycle import violations
from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

from .library import FIND, FREE, LIBRARY, Library, approval, ask_for_approval, calls, sent, types

Deploy = Callable[..., ModelEntry]


async def test_a_model_calls_a_tool_and_ends_with_what_it_says(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    async with lending() as gateway:
        response = await gateway.ask(tools=[FREE])
    assert types(response) == ["mcp_list_tools", "mcp_call", "message"]
    listing, call, _ = response["output"]
    assert [tool["name"] for tool in listing["tools"]] == ["lend", "burn", "wait"]
    assert listing["tools"][2]["annotations"] == {"read_only": True}
    assert call["id"].startswith("mcp_")
    assert {name: call[name] for name in call if name != "id"} == {
        "type": "mcp_call",
        "status": "completed",
        "server_label": "library",
        "name": "lend",
        "arguments": '{"title": "Emma"}',
        "output": "lent Emma",
        "error": None,
        "approval_request_id": None,
    }
    assert response["status"] == "completed"
    assert library.calls == [("lend", '{"title": "Emma"}')]
    first, second = await sent(upstream), await sent(upstream)
    assert [tool["function"]["name"] for tool in first["tools"]] == [
        f"mcp__library__{name}" for name in ("lend", "burn", "wait")
    ]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert second["messages"][1]["tool_calls"][0]["id"] == "call_0"
    assert second["messages"][2] == {
        "role": "tool",
        "tool_call_id": "call_0",
        "content": "lent Emma",
    }
    assert library.closed


async def test_the_stream_of_many_answers_is_one(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(
        calls(("mcp__library__lend", {"title": "Emma"}), text="Let me see."),
        calls(("mcp__library__lend", {"title": "lost"})),
        says.chat("Only", " one."),
    )
    async with lending() as gateway:
        events = await gateway.stream(tools=[FREE])
        kept = await gateway.retrieve(events[-1]["response"]["id"])
    assert violations(events) == []
    told = [event["type"].removeprefix("response.") for event in events]
    call = [
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
    ]
    begin, parts = ["output_item.added", "content_part.added"], ["output_text.delta"]
    end = ["output_text.done", "content_part.done", "output_item.done"]
    assert told == [
        "created",
        "in_progress",
        "output_item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "output_item.done",
        *(*begin, *parts, *end),
        *(*call, "mcp_call.completed", "output_item.done"),
        *(*call, "mcp_call.failed", "output_item.done"),
        *(*begin, *parts, *parts, *end),
        "completed",
    ]
    response = events[-1]["response"]
    assert types(response) == ["mcp_list_tools", "message", "mcp_call", "mcp_call", "message"]
    assert response["output"][3]["status"] == "failed"
    assert response["output"][3]["output"] is None
    assert response["output"][3]["error"]["type"] == "mcp_tool_execution_error"
    assert response["usage"]["input_tokens"] == 20
    assert kept == response
    _, _, third = [await sent(upstream) for _ in range(3)]
    contents = [message.get("content") for message in third["messages"]]
    assert contents[-1] == "The call failed: ?"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_approved_call_is_made_and_told_with_its_request(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
    stream: bool,
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    async with lending() as gateway:
        asked = await ask_for_approval(gateway)
        assert library.calls == []
        request = asked["output"][-1]
        assert request == {
            "type": "mcp_approval_request",
            "id": request["id"],
            "name": "lend",
            "arguments": '{"title": "Emma"}',
            "server_label": "library",
        }
        answer: dict[str, Any] = {
            "tools": [LIBRARY],
            "previous_response_id": asked["id"],
            "input": [approval(request)],
        }
        if stream:
            events = await gateway.stream(**answer)
            assert violations(events) == []
            told = [event["type"].removeprefix("response.") for event in events]
            assert told[2:9] == [
                "output_item.added",
                "mcp_call.in_progress",
                "mcp_call_arguments.delta",
                "mcp_call.in_progress",
                "mcp_call_arguments.done",
                "mcp_call.completed",
                "output_item.done",
            ]
            response = events[-1]["response"]
        else:
            response = await gateway.ask(**answer)
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(**answer)
    assert raised.value.code == "approval_already_used"
    assert types(response) == ["mcp_call", "message"]
    assert response["output"][0]["approval_request_id"] == request["id"]
    assert library.calls == [("lend", '{"title": "Emma"}')]
    assert library.listed == 1
    _, second = await sent(upstream), await sent(upstream)
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert second["messages"][2]["content"] == "lent Emma"


async def test_a_denied_call_is_not_made_and_the_model_hears_why(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})))
    upstream.add(says.failure(429), says.chat("A pity."))
    async with lending() as gateway:
        asked = await ask_for_approval(gateway)
        request = asked["output"][-1]
        answer = {"tools": [LIBRARY], "previous_response_id": asked["id"]}
        denial = approval(request, approve=False, reason="I have it")
        with pytest.raises(UpstreamRateLimitError):
            await gateway.ask(**answer, input=[denial])
        response = await gateway.ask(**answer, input=[denial])
        for again in (approval(request), denial):
            upstream.add(says.chat("Again?"))
            with pytest.raises(InvalidRequestError) as raised:
                await gateway.ask(**answer, input=[again])
            assert raised.value.code == "approval_already_used"
    assert types(response) == ["message"]
    assert library.calls == []
    _, _, third = [await sent(upstream) for _ in range(3)]
    assert third["messages"][-1]["content"] == "The user denied this call. I have it"


async def test_an_approval_works_without_a_store(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    async with lending() as gateway:
        asked = await ask_for_approval(gateway, store=False)
        history = [{"role": "user", "content": "hello"}, *asked["output"]]
        request = asked["output"][-1]
        answer: dict[str, Any] = {
            "tools": [LIBRARY],
            "store": False,
            "input": [*history, approval(request)],
        }
        response = await gateway.ask(**answer)
        with pytest.raises(InvalidRequestError):
            await gateway.ask(**answer)
        upstream.add(says.chat("You are welcome."))
        thanks = {"role": "user", "content": "thanks"}
        more = [*answer["input"], *response["output"], thanks]
        last = await gateway.ask(tools=[LIBRARY], store=False, input=more)
    assert types(response) == ["mcp_call", "message"]
    assert types(last) == ["message"]
    assert library.listed == 1
    assert len(library.calls) == 1


async def test_a_server_that_lists_nothing_fails_the_response(
    lending: OpenGateway, library: Library
) -> None:
    library.broken = True
    async with lending() as gateway:
        with pytest.raises(ToolError) as raised:
            await gateway.ask(tools=[FREE])
        events = await gateway.stream(tools=[FREE])
    assert (raised.value.status, raised.value.param) == (424, "tools")
    assert violations(events) == []
    told = [event["type"].removeprefix("response.") for event in events]
    assert told[3:] == [
        "mcp_list_tools.in_progress",
        "mcp_list_tools.failed",
        "output_item.done",
        "error",
        "failed",
    ]
    assert "library" in events[-1]["response"]["output"][0]["error"]


async def test_calls_of_the_client_wait_while_those_of_the_gateway_are_made(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(
        calls(("find", {"title": "a"}), ("mcp__library__lend", {"title": "Emma"})),
        says.chat("Done."),
    )
    async with lending() as gateway:
        first = await gateway.ask(tools=[FREE, FIND])
        assert types(first) == ["mcp_list_tools", "function_call", "mcp_call"]
        found = {"type": "function_call_output", "call_id": "call_0", "output": "here"}
        second = await gateway.ask(
            tools=[FREE, FIND], previous_response_id=first["id"], input=[found]
        )
    assert types(second) == ["message"]
    _, asked = await sent(upstream), await sent(upstream)
    roles = [message["role"] for message in asked["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]
    assert len(asked["messages"][1]["tool_calls"]) == 2


async def test_no_more_calls_are_made_than_the_client_allows(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    lend = ("mcp__library__lend", {"title": "Emma"})
    upstream.add(calls(lend, lend, lend), says.chat("Enough."))
    async with lending() as gateway:
        response = await gateway.ask(tools=[FREE], max_tool_calls=2)
    assert types(response) == ["mcp_list_tools", "mcp_call", "mcp_call", "message"]
    assert len(library.calls) == 2
    _, second = await sent(upstream), await sent(upstream)
    assert second["tool_choice"] == "none"


async def test_a_model_that_never_ends_is_ended(
    lending: OpenGateway, upstream: ScriptedUpstream, library: Library
) -> None:
    lend = ("mcp__library__lend", {"title": "Emma"})
    upstream.add(calls(lend), calls(lend), calls(lend))
    async with lending(tools=ToolSettings(max_turns=3)) as gateway:
        response = await gateway.ask(tools=[FREE])
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_messages"}
    assert len(library.calls) == 3
    later = [await sent(upstream) for _ in range(3)][-1]
    ids = [call["id"] for turn in later["messages"] for call in turn.get("tool_calls", ())]
    assert len(set(ids)) == len(ids) == 2


async def test_what_is_forced_is_forced_once(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    choice = {"type": "mcp", "server_label": "library", "name": "lend"}
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    async with lending() as gateway:
        await gateway.ask(tools=[FREE], tool_choice=choice)
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(tools=[FREE], tool_choice={**choice, "name": "sell"})
        library.shelf = ()
        with pytest.raises(InvalidRequestError):
            await gateway.ask(tools=[FREE], tool_choice=choice)
    assert raised.value.param == "tool_choice"
    first, second = await sent(upstream), await sent(upstream)
    assert first["tool_choice"]["function"]["name"] == "mcp__library__lend"
    assert second.get("tool_choice", "auto") == "auto"


async def test_a_client_that_leaves_ends_the_calls(
    lending: OpenGateway, upstream: ScriptedUpstream, library: Library
) -> None:
    upstream.add(calls(("mcp__library__wait", {})))
    async with lending() as gateway:
        reply = await gateway.send(stream=True, tools=[FREE])
        assert isinstance(reply, Streamed)
        blocks = reply.blocks

        async def read() -> None:
            async for _ in blocks:
                pass

        reading = asyncio.create_task(read())
        await library.waiting.wait()
        reading.cancel()
        await asyncio.wait([reading])
        await blocks.aclose()
        assert library.cancelled.is_set()
        assert [record.outcome for record in gateway.records] == ["cancelled"]


async def test_a_call_that_takes_too_long_fails(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(calls(("mcp__library__wait", {})), says.chat("Too slow."))
    limits = ToolSettings(call_seconds=0.01)
    async with lending(tools=limits) as gateway:
        response = await gateway.ask(tools=[FREE])
    call = response["output"][1]
    assert call["status"] == "failed"
    assert call["error"]["type"] == "http_error"
    assert call["error"]["code"] == 504


async def test_a_failure_of_the_model_after_calls_is_that_of_the_response(
    lending: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    library: Library,
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.failure(429))
    async with lending() as gateway:
        response = await gateway.ask(tools=[FREE])
        assert response["status"] == "failed"
        assert types(response) == ["mcp_list_tools", "mcp_call"]
        upstream.add(says.failure(429))
        with pytest.raises(UpstreamRateLimitError):
            await gateway.ask(tools=[FREE])
        upstream.add(says.failure(429))
        with pytest.raises(UpstreamRateLimitError):
            await gateway.stream(tools=[FREE])


async def test_a_tool_that_cannot_be_run_is_refused_by_its_place(
    lending: OpenGateway, library: Library
) -> None:
    private = {**FREE, "server_url": "https://private.test"}
    async with lending() as gateway:
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(tools=[FIND, private])
        assert raised.value.param == "tools[1].server_url"
        with pytest.raises(InvalidRequestError, match="library__lend"):
            await gateway.ask(tools=[FREE, FREE])


async def test_an_approval_is_for_one_server_whatever_the_names_come_to(
    lending: OpenGateway, upstream: ScriptedUpstream, library: Library
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})))
    async with lending() as gateway:
        request = (await ask_for_approval(gateway))["output"][-1]
        tools = [{**LIBRARY, "server_label": "other"}]
        history = [{"role": "user", "content": "hello"}, request, approval(request)]
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(tools=tools, input=history)
    assert raised.value.param == "input[2].approval_request_id"
    assert library.calls == []


async def test_a_model_that_cannot_be_told_to_call_nothing_ends_all_the_same(
    open_gateway: OpenGateway,
    deploy: Deploy,
    upstream: ScriptedUpstream,
    library: Library,
) -> None:
    lend = {"toolUse": {"toolUseId": "t1", "name": "mcp__library__lend", "input": {"title": "E"}}}

    def converse(*content: Any, reason: str) -> Script:
        message = {"message": {"role": "assistant", "content": content}}
        usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
        return json_answer({"output": message, "stopReason": reason, "usage": usage})

    upstream.add(
        converse(lend, reason="tool_use"), converse({"text": "So."}, lend, reason="tool_use")
    )
    settings = {"aws_region_name": Secret("us-east-1")}
    model = deploy(upstream, model="bedrock/claude", settings=settings)
    async with open_gateway(model, runners=[library]) as gateway:
        response = await gateway.ask(tools=[FREE], max_tool_calls=1)
    assert types(response) == ["mcp_list_tools", "mcp_call", "message"]
    assert response["status"] == "completed"
    assert len(library.calls) == 1


async def test_arguments_that_are_nonsense_do_not_end_the_response(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream, says: Says
) -> None:
    """Vendors that want an object get one in the next round, too."""
    nonsense = calls(("mcp__library__lend", {"title": "Emma"})).body
    torn = tuple(piece for piece in nonsense if b'mma\\"}' not in bytes(piece))  # type: ignore[arg-type]  # all bytes
    upstream.add(event_stream(*torn), says.chat("Sorry."))
    library = Library()
    async with open_gateway(deploy(upstream, model="groq/gpt"), runners=[library]) as gateway:
        response = await gateway.ask(tools=[FREE])
    assert response["status"] == "completed"
    _, second = await sent(upstream), await sent(upstream)
    (call,) = second["messages"][1]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"arguments": library.calls[0][1]}


async def test_approved_calls_count_among_those_that_the_client_allows(
    lending: OpenGateway, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enough."))
    async with lending() as gateway:
        asked = await ask_for_approval(gateway)
        response = await gateway.ask(
            tools=[LIBRARY],
            previous_response_id=asked["id"],
            input=[approval(asked["output"][-1])],
            max_tool_calls=1,
        )
    assert types(response) == ["mcp_call", "message"]
    _, second = await sent(upstream), await sent(upstream)
    assert second["tool_choice"] == "none"
