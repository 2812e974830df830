"""Conversations on each kind of store: kept, added to, taken apart, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import openai
import pytest

from gateway.testing import event_stream

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream

    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 20.0


def said(text: str, role: str = "user") -> Any:
    return {"type": "message", "role": role, "content": text}


async def texts(teller: Teller, conversation_id: str, **page: Any) -> list[str]:
    """Return what the messages of a conversation say, in its order unless `page` has another."""
    wanted: dict[str, Any] = {"order": "asc", **page}
    pages = teller.client.conversations.items.list(conversation_id, **wanted)
    return [item.content[0].text async for item in cast("AsyncIterator[Any]", pages)]


async def test_a_conversation_grows_by_each_response(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    conversation = await alpha.client.conversations.create(items=[said("Be kind", "system")])
    first = await alpha.ask("one", stream=stream, conversation=conversation.id)
    second = await alpha.ask("two", stream=stream, conversation=conversation.id)
    assert vendor.told == [
        ("system", "Be kind"),
        ("user", "one"),
        ("assistant", "one"),
        ("user", "two"),
    ]
    assert await texts(alpha, conversation.id) == ["Be kind", "one", "one", "two", "two"]
    for response in (first, second):
        assert await alpha.kept(response.id) == response.to_dict()
    assert [item.content[0].text for item in await alpha.inputs(second.id)] == [
        "Be kind",
        "one",
        "one",
        "two",
    ]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 19, 20, 21, 100])
async def test_pages_of_any_size_hold_every_item_once(
    alpha: Teller, vendor: Vendor, limit: int, order: str
) -> None:
    expected = [f"word {number}" for number in range(20)]
    made = await alpha.client.conversations.create(items=[said(text) for text in expected])
    found = await texts(alpha, made.id, limit=limit, order=order)
    assert found == (expected if order == "asc" else expected[::-1])


async def test_what_is_taken_out_is_told_no_more_but_stays_in_responses(
    alpha: Teller, vendor: Vendor
) -> None:
    conversation = await alpha.client.conversations.create()
    for words in ("one", "two"):
        made = await alpha.ask(words, conversation=conversation.id)
    items: list[Any] = [
        item async for item in alpha.client.conversations.items.list(conversation.id, order="asc")
    ]
    entries = alpha.client.conversations.items
    await entries.delete(items[1].id, conversation_id=conversation.id)
    with pytest.raises(openai.NotFoundError):
        await entries.retrieve(items[1].id, conversation_id=conversation.id)
    await entries.create(conversation.id, items=[said("by the way")])
    await alpha.ask("three", conversation=conversation.id)
    assert [text for _, text in vendor.told] == ["one", "two", "two", "by the way", "three"]
    inputs = [item.content[0].text for item in await alpha.inputs(made.id)]
    assert inputs == ["one", "one", "two"]


async def test_the_same_words_may_be_said_again_and_again(alpha: Teller, vendor: Vendor) -> None:
    conversation = await alpha.client.conversations.create(items=[said("yes"), said("yes")])
    for _ in range(3):
        await alpha.ask([said("yes"), said("yes")], conversation=conversation.id)
    pages = alpha.client.conversations.items.list(conversation.id, limit=2, order="asc")
    ids = [item.id async for item in pages]
    assert len(ids) == len(set(ids)) == 11


async def test_two_responses_at_once_in_one_conversation_are_a_conflict(
    alpha: Teller, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    conversation, other = [await alpha.client.conversations.create() for _ in range(2)]
    gate = asyncio.Event()
    vendor.will(event_stream(gate, *vendor.chat({"content": "one"}).body))
    asked = asyncio.create_task(alpha.ask("one", conversation=conversation.id))
    async with asyncio.timeout(PATIENCE):
        await upstream.received()
    with pytest.raises(openai.ConflictError):
        await alpha.ask("two", conversation=conversation.id)
    await alpha.ask("elsewhere", conversation=other.id)
    gate.set()
    await asked
    await alpha.ask("two", conversation=conversation.id)
    assert await texts(alpha, conversation.id) == ["one", "one", "two", "two"]


async def test_responses_outlive_their_conversation(alpha: Teller, vendor: Vendor) -> None:
    conversation = await alpha.client.conversations.create(metadata={"topic": "gulls"})
    made = await alpha.ask("one", conversation=conversation.id)
    await alpha.client.conversations.delete(conversation.id)
    with pytest.raises(openai.NotFoundError):
        await alpha.client.conversations.retrieve(conversation.id)
    with pytest.raises(openai.NotFoundError):
        await alpha.ask("two", conversation=conversation.id)
    assert await alpha.kept(made.id) == made.to_dict()
    await alpha.ask("two", previous_response_id=made.id)
    assert [text for _, text in vendor.told] == ["one", "one", "two"]


async def test_for_other_tenants_a_conversation_does_not_exist(
    alpha: Teller, beta: Teller, vendor: Vendor
) -> None:
    made = await alpha.client.conversations.create(items=[said("a secret")])
    item: Any = (await alpha.client.conversations.items.list(made.id)).data[0]
    conversations, entries = beta.client.conversations, beta.client.conversations.items
    for attempt in (
        conversations.retrieve(made.id),
        conversations.update(made.id, metadata={}),
        conversations.delete(made.id),
        entries.create(made.id, items=[said("x")]),
        entries.list(made.id),
        entries.retrieve(item.id, conversation_id=made.id),
        entries.delete(item.id, conversation_id=made.id),
        beta.ask("x", conversation=made.id),
        beta.ask([{"type": "item_reference", "id": item.id}]),
    ):
        with pytest.raises(openai.NotFoundError):
            await attempt
    assert vendor.heard == []
    assert await texts(alpha, made.id) == ["a secret"]
