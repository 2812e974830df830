"""Tools that the gateway runs, in the background, over conversations and on several upstreams."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope, Streamed, Whole
from gateway.core.principal import Principal
from gateway.errors import InvalidRequestError, ToolError
from gateway.stream.lifecycle import violations
from gateway.testing import ScriptedUpstream

from .library import FREE, LIBRARY, Library, approval, calls, types

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]


async def test_it_works_in_the_background(
    lending: OpenGateway, upstream: ScriptedUpstream, says: Says, library: Library
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    async with lending() as gateway:
        strange = [approval({"id": "mcpr_forged"})]
        with pytest.raises(InvalidRequestError):
            await gateway.ask(tools=[LIBRARY], background=True, input=strange)
        choice = {"type": "mcp", "server_label": "library", "name": "lend"}
        asked = await in_background(gateway, tools=[LIBRARY], tool_choice=choice)
        answer = approval(asked["output"][-1])
        more: dict[str, Any] = {
            "tools": [LIBRARY],
            "previous_response_id": asked["id"],
            "input": [answer],
        }
        response = await in_background(gateway, **more)
        again = await in_background(gateway, **more)
    assert types(asked) == ["mcp_list_tools", "mcp_approval_request"]
    assert types(response) == ["mcp_call", "message"]
    assert again["status"] == "failed"
    assert library.calls == [("lend", '{"title": "Emma"}')]


async def in_background(gateway: Gateway, **body: Any) -> dict[str, Any]:
    """Return a response that was made in the background, when it is over."""
    queued = await gateway.ask(background=True, **body)
    assert queued["status"] == "queued"
    envelope = Envelope(
        operation="retrieve",
        request_id="req_2",
        response_id=queued["id"],
        query="stream=true",
    )
    reply = await gateway.engine.respond(envelope, Principal())
    assert isinstance(reply, Streamed)
    async for _ in reply.blocks:
        pass
    return await gateway.retrieve(queued["id"])


async def test_it_works_over_a_conversation(
    lending: OpenGateway, upstream: ScriptedUpstream, says: Says, library: Library
) -> None:
    upstream.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    async with lending() as gateway:
        conversation = await gateway.engine.conversations.create("default", b"{}")
        held: dict[str, Any] = {
            "tools": [LIBRARY],
            "conversation": json.loads(conversation)["id"],
        }
        asked = await gateway.ask(**held)
        answer = [approval(asked["output"][-1])]
        response = await gateway.ask(**held, input=answer)
        with pytest.raises(InvalidRequestError):
            await gateway.ask(**held, input=answer)
    assert types(response) == ["mcp_call", "message"]
    assert len(library.calls) == 1
    assert library.listed == 1


async def test_another_deployment_answers_what_the_first_cannot(
    open_gateway: OpenGateway,
    deploy: Deploy,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
) -> None:
    library = Library()
    upstream.add(says.failure(503))
    other.add(calls(("mcp__library__lend", {"title": "Emma"})), says.chat("Enjoy."))
    models = [
        deploy(upstream, model="groq/gpt", weight=1.0),
        deploy(other, model="mistral/gpt", weight=0.0),
    ]
    async with open_gateway(*models, runners=[library]) as gateway:
        events = await gateway.stream(tools=[FREE])
    assert violations(events) == []
    assert types(events[-1]["response"]) == ["mcp_list_tools", "mcp_call", "message"]
    assert len(upstream.requests) == 1
    assert len(other.requests) == 2


async def test_the_functions_of_tools_are_counted(lending: OpenGateway, library: Library) -> None:
    async with lending() as gateway:
        counts = [await count(gateway, tools=tools) for tools in ([], [FREE])]
        library.broken = True
        with pytest.raises(ToolError):
            await count(gateway, tools=[FREE])
    assert counts[1] > counts[0] + 20


async def count(gateway: Gateway, **body: Any) -> int:
    asked = json.dumps({"model": "fast", "input": "hello", **body}).encode()
    envelope = Envelope(operation="input_tokens", request_id="req_1", body=asked)
    reply = await gateway.engine.respond(envelope, Principal())
    assert isinstance(reply, Whole)
    return json.loads(reply.body)["input_tokens"]


async def test_a_long_input_is_compacted_before_the_first_answer_and_paid_once(
    lending: OpenGateway, upstream: ScriptedUpstream, says: Says, library: Library
) -> None:
    upstream.add(
        calls(text="A summary."),
        calls(("mcp__library__lend", {"title": "Emma"})),
        calls(text="Enjoy."),
    )
    said = [{"role": "user", "content": "Look! " * 2000}, {"role": "assistant", "content": "Yes."}]
    talk = [*said, {"role": "user", "content": "Well?"}]
    limit = [{"type": "compaction", "compact_threshold": 1000}]
    async with lending() as gateway:
        response = await gateway.ask(tools=[FREE], input=talk, context_management=limit)
    assert types(response) == ["mcp_list_tools", "mcp_call", "message", "compaction"]
    assert response["usage"]["total_tokens"] == 45
    assert "Look!" not in upstream.requests[2].body.decode()
    assert "lent Emma" in upstream.requests[2].body.decode()
