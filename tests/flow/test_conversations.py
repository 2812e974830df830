"""Responses in conversations, on a store that takes its time or fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.errors import ConflictError, StoreError
from gateway.store.memory import MemoryStore
from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

    Deploy = Callable[..., ModelEntry]

TENANT = "default"
PATIENCE = 20.0
STREAMED_OR_WHOLE = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


class TiredStore(MemoryStore):
    """Takes its time to unlock, and fails at the operation that is `failing`."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = ""

    def __getattribute__(self, name: str) -> Any:
        if name != "failing" and name == self.failing:
            raise StoreError("the store is tired")
        return super().__getattribute__(name)

    async def unlock(self, tenant: str, conversation_id: str, owner: str, /) -> None:
        for _ in range(1000):  # turns of the loop: an answer that does not wait is done before
            await asyncio.sleep(0)
        await super().unlock(tenant, conversation_id, owner)


class Talk:
    """One conversation with a translated model."""

    def __init__(self, gateway: Gateway, store: TiredStore, conversation_id: str) -> None:
        self.store = store
        self._gateway = gateway
        self._id = conversation_id

    async def ask(self, text: str, *, stream: bool, **body: Any) -> dict[str, Any]:
        """Return the response to `text`, streamed or not."""
        asked: dict[str, Any] = {"model": "chatty", "input": text, "conversation": self._id, **body}
        if not stream:
            return await self._gateway.ask(**asked)
        return (await self._gateway.stream(**asked))[-1]["response"]

    async def ask_until_answered(self, text: str, *, stream: bool) -> dict[str, Any]:
        """Return the response to `text` as soon as the store is seen to be back, and unlocked."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(StoreError, ConflictError):
                    return await self.ask(text, stream=stream)
                await asyncio.sleep(0.01)

    async def texts(self) -> list[str]:
        items = await self.store.conversation_context(TENANT, self._id) or ()
        return [json.loads(item.body)["content"][0]["text"] for item in items]


@pytest.fixture
async def talk(
    open_gateway: OpenGateway,
    deploy: Deploy,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Talk]:
    monkeypatch.setattr("gateway.core.keeper._PAUSE", 0.01)
    store = TiredStore()
    chatty = deploy(upstream, name="chatty", model="openai_compatible/chat")
    async with open_gateway(chatty, store=store) as gateway:
        made = json.loads(await gateway.engine.conversations.create(TENANT, b""))
        yield Talk(gateway, store, made["id"])


@STREAMED_OR_WHOLE
async def test_whoever_has_the_end_of_a_response_may_ask_again_at_once(
    talk: Talk, upstream: ScriptedUpstream, says: Says, *, stream: bool
) -> None:
    upstream.add(*[says.chat("Yes.")] * 3)
    for text in ("one", "two", "three"):
        assert (await talk.ask(text, stream=stream))["status"] == "completed"
    assert await talk.texts() == ["one", "Yes.", "two", "Yes.", "three", "Yes."]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_whole_response_that_cannot_be_added_to_its_conversation_is_an_error(
    talk: Talk, upstream: ScriptedUpstream, says: Says, *, kept: bool
) -> None:
    upstream.add(*[says.chat("Yes.")] * 2)
    talk.store.failing = "save" if kept else "add_items"
    with pytest.raises(StoreError, match="the store is tired"):
        await talk.ask("one", stream=False, store=kept)
    talk.store.failing = ""
    assert (await talk.ask_until_answered("two", stream=False))["status"] == "completed"
    assert await talk.texts() == ["two", "Yes."]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_stream_that_cannot_be_added_to_its_conversation_fails(
    talk: Talk, upstream: ScriptedUpstream, says: Says, *, kept: bool
) -> None:
    upstream.add(*[says.chat("Yes.")] * 2)
    talk.store.failing = "save" if kept else "add_items"
    response = await talk.ask("one", stream=True, store=kept)
    assert (response["status"], response["error"]["message"]) == ("failed", "the store is tired")
    talk.store.failing = ""
    assert (await talk.ask_until_answered("two", stream=True))["status"] == "completed"
    assert await talk.texts() == ["two", "Yes."]


@STREAMED_OR_WHOLE
@pytest.mark.parametrize("failing", ["lock", "conversation_context"])
async def test_nobody_is_asked_while_a_conversation_cannot_be_read(
    talk: Talk, upstream: ScriptedUpstream, failing: str, *, stream: bool
) -> None:
    talk.store.failing = failing
    with pytest.raises(StoreError, match="the store is tired"):
        await talk.ask("one", stream=stream)
    assert upstream.requests == []


async def test_a_store_that_cannot_unlock_spoils_no_answer(
    talk: Talk, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.chat("Yes."))
    talk.store.failing = "unlock"
    assert (await talk.ask("one", stream=False))["status"] == "completed"
    assert await talk.texts() == ["one", "Yes."]


async def test_of_many_responses_at_once_one_is_made_at_a_time(
    talk: Talk, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.handle("/v1/chat/completions", lambda received: says.chat("Yes."))
    for attempt in range(5):
        asked = [talk.ask(f"{attempt}.{number}", stream=number % 2 == 0) for number in range(8)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refusals = [answer for answer in answers if isinstance(answer, ConflictError)]
        assert len(refusals) == 7, answers
    assert len(upstream.requests) == 5
    assert (await talk.texts())[1::2] == ["Yes."] * 5
