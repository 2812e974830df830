"""Responses of a native upstream that the gateway keeps in its place: `history: gateway`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.errors import InvalidRequestError, NotFoundError
from gateway.plugin import Operation
from gateway.testing import ScriptedUpstream, json_answer

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]


@pytest.fixture
def held(upstream: ScriptedUpstream, deploy: Deploy) -> ModelEntry:
    return deploy(upstream, history="gateway")


async def about(gateway: Gateway, operation: Operation, response_id: str) -> dict[str, Any]:
    envelope = Envelope(operation=operation, request_id="req_3", response_id=response_id)
    reply = await gateway.engine.respond(envelope, Principal())
    assert isinstance(reply, Whole)
    return json.loads(reply.body)


@pytest.mark.parametrize("stream", [False, True])
async def test_the_gateway_keeps_what_the_upstream_must_not(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    held: ModelEntry,
    stream: bool,
) -> None:
    upstream.add(says.stream() if stream else says.whole())
    async with open_gateway(held) as gateway:
        if stream:
            made = (await gateway.stream())[-1]["response"]
        else:
            made = await gateway.ask()
        kept = await gateway.retrieve(made["id"])
        listed = await about(gateway, "input_items", made["id"])
        deleted = await about(gateway, "delete", made["id"])
        with pytest.raises(NotFoundError):
            await gateway.retrieve(made["id"])
    assert upstream.requests[0].json()["store"] is False
    assert made["store"] is True
    assert "resp_up" not in made["id"]
    assert kept == made
    assert listed["data"][0]["content"] == [{"type": "input_text", "text": "hello"}]
    assert deleted == {"id": made["id"], "object": "response", "deleted": True}


async def test_what_follows_takes_the_history_along(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, held: ModelEntry
) -> None:
    upstream.add(says.whole(), says.whole("resp_again"))
    async with open_gateway(held) as gateway:
        first = await gateway.ask()
        second = await gateway.ask(input="and then?", previous_response_id=first["id"])
        listed = await about(gateway, "input_items", second["id"])
    sent = upstream.requests[1].json()
    assert "previous_response_id" not in sent
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert second["previous_response_id"] == first["id"]
    assert [item["role"] for item in listed["data"]] == ["user", "assistant", "user"]


async def test_store_false_leaves_nothing(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, held: ModelEntry
) -> None:
    upstream.add(says.whole())
    async with open_gateway(held) as gateway:
        made = await gateway.ask(store=False)
        with pytest.raises(NotFoundError):
            await gateway.retrieve(made["id"])
    assert made["store"] is False


async def test_the_background_is_not_for_such_upstreams(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, held: ModelEntry
) -> None:
    async with open_gateway(held) as gateway:
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(background=True)
    assert raised.value.param == "background"
    assert not upstream.requests


async def test_a_chain_goes_on_at_a_native_upstream(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    upstream.add(says.chat("Luna."))
    other.add(says.whole())
    chatty = deploy(upstream, name="chatty", model="openai_compatible/chat")
    async with open_gateway(chatty, deploy(other)) as gateway:
        first = await gateway.ask(model="chatty")
        await gateway.ask(input="and then?", previous_response_id=first["id"])
    sent = other.requests[0].json()
    assert "previous_response_id" not in sent
    told = [(item["role"], item["content"][0]["text"]) for item in sent["input"][:2]]
    assert told == [("user", "hello"), ("assistant", "Luna.")]
    assert not any("id" in item for item in sent["input"])


async def test_a_chain_leaves_the_upstream_that_keeps_it(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    def item(number: int, role: str, kind: str) -> dict[str, Any]:
        part = {"type": kind, "text": f"turn {number}"}
        return {"type": "message", "id": f"msg_{number}", "role": role, "content": [part]}

    pages = {
        "": {"data": [item(1, "user", "input_text")], "last_id": "msg_1", "has_more": True},
        "msg_1": {"data": [item(2, "assistant", "output_text")], "last_id": "msg_2"},
    }
    upstream.handle("/v1/responses", lambda _: says.whole())
    upstream.handle("/v1/responses/resp_up", lambda _: says.whole())
    upstream.handle(
        "/v1/responses/resp_up/input_items",
        lambda received: json_answer(
            {"object": "list", "first_id": "x", **pages[received.query.partition("after=")[2]]}
        ),
    )
    other.add(says.chat("Yes."), says.chat("Still."))
    chatty = deploy(other, name="chatty", model="openai_compatible/chat")
    async with open_gateway(deploy(upstream), chatty) as gateway:
        first = await gateway.ask()
        second = await gateway.ask(model="chatty", input="go on", previous_response_id=first["id"])
        await gateway.ask(model="chatty", input="still?", previous_response_id=second["id"])
    told = [message["content"] for message in other.requests[1].json()["messages"]]
    assert told == ["turn 1", f"turn 2\n\n{says.text}", "go on", "Yes.", "still?"]
