"""Responses in the background on each kind of store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gateway.testing import event_stream

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream

    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 20.0
OVER = ("completed", "failed", "incomplete", "cancelled")


async def over(teller: Teller, response_id: str) -> dict[str, Any]:
    """Ask for a response until it is over, and return it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            response = await teller.kept(response_id)
            if response["status"] in OVER:
                return response
            await asyncio.sleep(0.02)


async def test_a_chain_may_go_through_the_background(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    first = await alpha.ask("one")
    second = await alpha.ask("two", stream=stream, background=True, previous_response_id=first.id)
    done = await over(alpha, second.id)
    assert (done["status"], done["previous_response_id"]) == ("completed", first.id)
    if stream:
        assert second.to_dict() == done
    await alpha.ask("three", previous_response_id=second.id)
    assert [text for _, text in vendor.told] == ["one", "one", "two", "two", "three"]
    inputs = [item.content[0].text for item in await alpha.inputs(second.id)]
    assert inputs == ["one", "one", "two"]


async def test_what_is_not_over_cannot_be_continued_but_followed_from_any_event(
    alpha: Teller, vendor: Vendor
) -> None:
    gate = asyncio.Event()
    first, *rest = vendor.chat({"content": "Luna "}, {"content": "slept."}).body
    vendor.will(event_stream(first, gate, *rest))
    stream = await alpha.client.responses.create(
        model="stella", input="x", background=True, stream=True
    )
    seen = [(await anext(stream)).to_dict() for _ in range(6)]
    await stream.close()
    created: Any = seen[0]["response"]
    with pytest.raises(openai.BadRequestError) as caught:
        await alpha.ask("y", previous_response_id=created["id"])
    assert caught.value.param == "previous_response_id"
    following = asyncio.create_task(alpha.told(created["id"], starting_after=5))
    gate.set()
    told = seen + await following
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert told[-1]["response"] == await over(alpha, created["id"])
    for number in range(len(told)):
        assert await alpha.told(created["id"], starting_after=number) == told[number + 1 :]


async def test_a_cancelled_response_keeps_what_it_had_said_and_can_be_deleted(
    alpha: Teller, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    vendor.will(event_stream(vendor.chat({"content": "Luna"}).body[0], asyncio.Event()))
    stream = await alpha.client.responses.create(
        model="stella", input="x", background=True, stream=True
    )
    seen: list[Any] = [await anext(stream) for _ in range(6)]
    await stream.close()
    response_id = seen[0].response.id
    cancelled = await alpha.client.responses.cancel(response_id)
    assert cancelled.status == "cancelled"
    async with asyncio.timeout(PATIENCE):
        await upstream.disconnected()
    assert await alpha.kept(response_id) == cancelled.to_dict()
    await alpha.client.responses.delete(response_id)
    with pytest.raises(openai.NotFoundError):
        await alpha.kept(response_id)


async def test_for_other_tenants_a_response_in_the_background_does_not_exist(
    alpha: Teller, beta: Teller, vendor: Vendor
) -> None:
    gate = asyncio.Event()
    vendor.will(event_stream(gate, *vendor.chat({"content": "done"}).body))
    queued = await alpha.ask("x", background=True)
    responses = beta.client.responses
    for attempt in (
        responses.retrieve(queued.id),
        responses.retrieve(queued.id, stream=True),
        responses.input_items.list(queued.id),
        responses.cancel(queued.id),
        responses.delete(queued.id),
    ):
        with pytest.raises(openai.NotFoundError):
            await attempt
    gate.set()
    assert (await over(alpha, queued.id))["status"] == "completed"


async def test_a_response_in_the_background_is_added_to_its_conversation(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    conversation = await alpha.client.conversations.create()
    for words in ("one", "two"):
        made = await alpha.ask(words, stream=stream, background=True, conversation=conversation.id)
        assert (await over(alpha, made.id))["status"] == "completed"
    assert [text for _, text in vendor.told] == ["one", "one", "two"]
    pages = alpha.client.conversations.items.list(conversation.id, order="asc")
    items: list[Any] = [item async for item in pages]
    assert [item.content[0].text for item in items] == ["one", "one", "two", "two"]


async def test_64_and_more_at_once_are_all_made(alpha: Teller, vendor: Vendor) -> None:
    vendor.pause = 0.05
    queued = await asyncio.gather(
        *(alpha.ask(f"response {number}", background=True) for number in range(80))
    )
    for number, each in enumerate(queued):
        done = await over(alpha, each.id)
        assert done["output"][0]["content"][0]["text"] == f"response {number}"
    assert len(vendor.heard) == 80
