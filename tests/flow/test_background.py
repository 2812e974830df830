"""Responses in the background, through a whole engine, of a model that speaks chat completions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope, Reply, Streamed, Whole
from gateway.core.principal import Principal
from gateway.errors import GatewayError, InvalidRequestError, NotFoundError
from gateway.plugin.dialect import Operation
from gateway.plugin.store import Job
from gateway.store.memory import MemoryStore
from gateway.stream.lifecycle import violations
from gateway.stream.sse import DONE, SSEDecoder
from gateway.testing import Fault, Script, ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]


class Client:
    """Asks a gateway for responses in the background."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def create(self, **body: Any) -> dict[str, Any]:
        return await self.gateway.ask(**{"model": "chatty", "background": True, **body})

    async def send(self, operation: Operation, response_id: str, query: str = "") -> Reply:
        envelope = Envelope(
            operation=operation, request_id="req_2", response_id=response_id, query=query
        )
        return await self.gateway.engine.respond(envelope, Principal())

    async def whole(self, operation: Operation, response_id: str, query: str = "") -> Any:
        reply = await self.send(operation, response_id, query)
        assert isinstance(reply, Whole)
        return json.loads(reply.body)

    async def follow(self, response_id: str, after: int | None = None) -> list[dict[str, Any]]:
        """Return the events of a response after one, to the end."""
        query = "stream=true" if after is None else f"stream=true&starting_after={after}"
        reply = await self.send("retrieve", response_id, query)
        assert isinstance(reply, Streamed)
        stream = b"".join([block async for block in reply.blocks])
        frames = SSEDecoder().feed(stream.removesuffix(DONE))
        return [json.loads(frame.data) for frame in frames]

    async def finished(self, **body: Any) -> dict[str, Any]:
        """Create a response and return it when it is over."""
        response_id = (await self.create(**body))["id"]
        await self.follow(response_id)
        return await self.whole("retrieve", response_id)


@pytest.fixture
async def client(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream
) -> AsyncGenerator[Client]:
    models = deploy(upstream), deploy(upstream, name="chatty", model="openai_compatible/chat")
    async with open_gateway(*models) as gateway:
        yield Client(gateway)


def begun(fault: Fault) -> Script:
    """Return an answer that goes no further than its first word."""
    first = b'data: {"choices":[{"index":0,"delta":{"content":"Luna"}}]}\n\n'
    return event_stream(first, fault)


class IdleStore(MemoryStore):
    """A store that has no work for anybody while it is `idle`."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = True

    async def claim(self, owner: str, **options: Any) -> Job | None:
        return None if self.idle else await super().claim(owner, **options)


async def test_a_response_is_made_while_nobody_waits(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.chat("Luna ", "slept."))
    queued = await client.create(input="What did Luna do?", metadata={"a": "b"})
    assert (queued["status"], queued["output"], queued["background"]) == ("queued", [], True)
    events = await client.follow(queued["id"])
    assert violations(events) == []
    assert events[0]["response"] == queued
    done = await client.whole("retrieve", queued["id"])
    assert done == events[-1]["response"]
    assert done["output"][0]["content"][0]["text"] == "Luna slept."
    changed = {name for name in done if done[name] != queued[name]}
    assert changed == {"status", "output", "usage", "completed_at"}
    items = await client.whole("input_items", queued["id"])
    assert items["data"][0]["content"][0]["text"] == "What did Luna do?"


async def test_a_created_stream_is_the_one_that_is_kept(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.chat("Luna ", "slept."))
    events = await client.gateway.stream(model="chatty", background=True)
    assert violations(events) == []
    response_id = events[0]["response"]["id"]
    assert await client.follow(response_id) == events
    for after in range(len(events)):
        assert await client.follow(response_id, after) == events[after + 1 :]


async def test_what_the_model_cannot_do_is_refused_at_once(
    client: Client, upstream: ScriptedUpstream
) -> None:
    refused: dict[str, dict[str, Any]] = {
        "store": {"store": False},
        "background_options.completion_window": {"background_options": {"completion_window": "8h"}},
        "prompt": {"prompt": {"id": "pmpt_1"}},
        "previous_response_id": {"previous_response_id": "resp_nobody"},
    }
    for param, body in refused.items():
        with pytest.raises(InvalidRequestError) as raised:
            await client.create(**body)
        assert raised.value.param == param
    assert upstream.requests == []


async def test_what_the_upstream_refuses_fails_the_response(
    client: Client, upstream: ScriptedUpstream
) -> None:
    error = {"message": "no such parameter", "type": "invalid_request_error", "code": None}
    upstream.add(json_answer({"error": error}, status=400))
    failed = await client.finished()
    assert (failed["status"], failed["error"]["code"]) == ("failed", "invalid_prompt")
    assert "no such parameter" in failed["error"]["message"]


async def test_a_stream_that_is_cut_fails_the_response(
    client: Client, upstream: ScriptedUpstream
) -> None:
    upstream.add(begun(Fault.CUT))
    queued = await client.create()
    events = await client.follow(queued["id"])
    assert violations(events) == []
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert await client.whole("retrieve", queued["id"]) == events[-1]["response"]


async def test_a_running_response_is_cancelled_at_the_upstream(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(begun(Fault.STALL))
    response_id = (await client.create())["id"]
    following = asyncio.create_task(client.follow(response_id))
    await upstream.received()
    cancelled = await client.whole("cancel", response_id)
    await upstream.disconnected()
    assert cancelled["status"] == "cancelled"
    assert cancelled == await client.whole("retrieve", response_id)
    assert cancelled == await client.whole("cancel", response_id)
    assert (await following)[-1]["response"] == cancelled


async def test_others_are_not_cancelled(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.chat("Yes."))
    kept = await client.gateway.ask(model="chatty")
    with pytest.raises(InvalidRequestError, match="background"):
        await client.send("cancel", kept["id"])
    with pytest.raises(NotFoundError):
        await client.send("cancel", "resp_nobody")


async def test_a_response_continues_what_is_deleted_before_it_is_made(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream, says: Says
) -> None:
    store = IdleStore()
    upstream.add(says.chat("Yes."), says.chat("No."), says.chat("Good."))
    model = deploy(upstream, name="chatty", model="openai_compatible/chat")
    async with open_gateway(model, store=store) as gateway:
        client = Client(gateway)
        parent = await gateway.ask(model="chatty", input="one")
        child = await client.create(input="two", previous_response_id=parent["id"])
        await client.whole("delete", parent["id"])
        store.idle = False
        await client.follow(child["id"])
        assert told(upstream) == ["one", "Yes.", "two"]
        await client.finished(input="three", previous_response_id=child["id"])
        assert told(upstream) == ["one", "Yes.", "two", "No.", "three"]


def told(upstream: ScriptedUpstream) -> list[str]:
    """Return what the upstream was told last."""
    return [message["content"] for message in upstream.requests[-1].json()["messages"]]


async def test_a_response_cannot_continue_one_that_is_still_made(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(begun(Fault.STALL))
    running = await client.create()
    await upstream.received()
    with pytest.raises(InvalidRequestError, match="not finished"):
        await client.create(previous_response_id=running["id"])
    await client.whole("cancel", running["id"])


async def test_a_response_is_added_to_its_conversation_when_it_is_over(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    conversations = client.gateway.engine.conversations
    conversation = json.loads(await conversations.create("default", b"{}"))["id"]
    upstream.add(says.chat("Yes."), says.chat("No."))
    await client.finished(input="one", conversation=conversation)
    done = await client.finished(input="two", conversation=conversation)
    assert done["conversation"] == {"id": conversation}
    assert told(upstream) == ["one", "Yes.", "two"]


async def test_a_native_upstream_does_its_own_work(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.whole(status="queued", background=True))
    answer = await client.create(model="fast")
    assert answer["status"] == "queued"
    assert upstream.requests[-1].json()["background"] is True


async def test_each_response_is_observed_when_it_is_queued_and_when_it_is_made(
    client: Client, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.chat("Yes."))
    done = await client.finished()
    await client.follow(done["id"])
    outcomes = [record.outcome for record in client.gateway.records]
    assert outcomes[0] == "queued"
    assert sorted(outcomes[1:]) == ["completed"] * 4


async def test_every_way_out_gives_its_permit_back(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream, says: Says
) -> None:
    model = deploy(upstream, name="chatty", model="openai_compatible/chat")
    async with open_gateway(model, max_in_flight=2) as gateway:
        client = Client(gateway)
        for _ in range(3):
            upstream.add(says.chat("Yes."))
            done = await client.finished()
            assert done["status"] == "completed"
            with pytest.raises(GatewayError):
                await client.create(store=False)
