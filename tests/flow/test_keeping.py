"""What becomes of requests while the store fails, hangs or is full, and when it is back.

The store is a real one whose answers these tests can withhold. What the upstream says is invented.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope
from gateway.core.principal import Principal
from gateway.errors import StoreError
from gateway.plugin import Store
from gateway.store.memory import MemoryStore
from gateway.testing import ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]

PATIENCE = 10.0  # seconds
TIMEOUT = 1.5  # seconds that the store takes to say that it does not answer
FAILING = {
    "fine": (),
    "full": ("save", "enqueue", "add_items", "delete", "lock", "create_conversation"),
    "no items": ("save", "add_items"),
}
"""What a store does not do that is in such a mood; in any other it does nothing."""


class MoodyStore:
    """A store in memory that is `fine`, `gone`, `full`, takes `no items` or is `mute`: then it
    takes its time to say that it does not answer. Notes what it is asked, but for the gateway's own
    trials.
    """

    def __init__(self, mood: str = "fine") -> None:
        self.mood = mood
        self.asked: list[str] = []
        self._store = MemoryStore()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._answer, name)

    async def _answer(self, name: str, *parts: Any, **options: Any) -> Any:
        if not (name == "save" and parts[0].tenant == ""):
            self.asked.append(name)
        if self.mood == "mute":
            await asyncio.sleep(TIMEOUT)
        if name in FAILING.get(self.mood, (name,)):
            if name == "ready":
                return False
            raise StoreError(f"the store is {self.mood}")
        return await getattr(self._store, name)(*parts, **options)


@pytest.fixture
def store() -> MoodyStore:
    return MoodyStore()


@pytest.fixture
async def gateway(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream, store: MoodyStore
) -> AsyncGenerator[Gateway]:
    """Return a gateway with that store, a translated model, a native one, and one held here."""
    models = (
        deploy(upstream, name="chatty", model="openai_compatible/m"),
        deploy(upstream),
        deploy(upstream, name="held", history="gateway"),
    )
    async with open_gateway(*models, store=cast("Store", store)) as gateway:
        yield gateway


async def known_to_fail(gateway: Gateway, store: MoodyStore, mood: str = "gone") -> None:
    """Let the store fail, and the gateway find out."""
    store.mood = mood
    with pytest.raises(StoreError):
        await gateway.engine.conversations.create("default", b"{}")
    store.asked.clear()


async def recovered(gateway: Gateway) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await gateway.engine.store_state() == "ok":
                return
            await asyncio.sleep(0.01)


async def whole(gateway: Gateway, **body: Any) -> dict[str, Any]:
    return await gateway.ask(model="chatty", **body)


async def streamed(gateway: Gateway, **body: Any) -> dict[str, Any]:
    """Return the response in the terminal event."""
    events = await gateway.stream(model="chatty", **body)
    return events[-1]["response"]


async def held(gateway: Gateway, **body: Any) -> dict[str, Any]:
    return await gateway.ask(model="held", **body)


async def held_streamed(gateway: Gateway, **body: Any) -> dict[str, Any]:
    return (await gateway.stream(model="held", **body))[-1]["response"]


TRANSLATED = pytest.mark.parametrize("ask", [whole, streamed])
ALL_WAYS = {whole: "chat", streamed: "chat", held: "whole", held_streamed: "stream"}
EVERY_WAY = pytest.mark.parametrize("ask", ALL_WAYS)


def answer(says: Says, ask: Any) -> Any:
    return says.chat("Luna.") if ALL_WAYS[ask] == "chat" else getattr(says, ALL_WAYS[ask])()


@EVERY_WAY
async def test_an_answer_that_nobody_asked_to_be_kept_is_delivered(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says, ask: Any
) -> None:
    upstream.add(answer(says, ask))
    store.mood = "gone"
    response = await ask(gateway)
    assert response["status"] == "completed"
    assert response["store"] is False
    assert response["output"]


@EVERY_WAY
async def test_nothing_is_promised_or_tried_while_the_store_is_known_to_fail(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says, ask: Any
) -> None:
    await known_to_fail(gateway, store)
    upstream.add(answer(says, ask))
    assert (await ask(gateway))["store"] is False
    assert "save" not in store.asked


@pytest.mark.parametrize("model", ["chatty", "held"])
async def test_a_stream_says_from_its_beginning_that_it_is_not_kept(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says, model: str
) -> None:
    await known_to_fail(gateway, store)
    upstream.add(says.chat("Luna.") if model == "chatty" else says.stream())
    events = await gateway.stream(model=model)
    assert {event["response"]["store"] for event in events if "response" in event} == {False}


@pytest.mark.parametrize("ask", [whole, held])
async def test_an_answer_that_was_to_be_kept_and_cannot_be_is_an_error(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says, ask: Any
) -> None:
    upstream.add(answer(says, ask))
    store.mood = "gone"
    with pytest.raises(StoreError) as raised:
        await ask(gateway, store=True)
    assert (raised.value.status, raised.value.code) == (503, "store_unavailable")


@pytest.mark.parametrize("model", ["chatty", "held"])
async def test_a_stream_that_was_to_be_kept_and_cannot_be_fails_at_its_end(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says, model: str
) -> None:
    upstream.add(says.chat("Luna", " slept.") if model == "chatty" else says.stream())
    store.mood = "gone"
    events = await gateway.stream(model=model, store=True)
    kinds = [event["type"] for event in events]
    assert kinds[-2:] == ["error", "response.failed"]
    assert "response.completed" not in kinds
    assert events[-2]["code"] == "store_unavailable"
    assert events[-1]["response"]["output"]
    numbers = [event["sequence_number"] for event in events]
    assert numbers == [*range(len(numbers))]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        {"model": "chatty", "store": True},
        {"model": "held", "store": True},
        {"model": "chatty", "background": True},
        {"model": "chatty", "conversation": "conv_1"},
        {"model": "chatty", "previous_response_id": "resp_1"},
        {"model": "fast", "previous_response_id": "resp_1"},
    ],
    ids=lambda body: "-".join(map(str, body)) + f"-{body['model']}",
)
async def test_what_needs_the_store_is_refused_before_the_upstream_is_asked(
    gateway: Gateway,
    store: MoodyStore,
    upstream: ScriptedUpstream,
    body: dict[str, Any],
    stream: bool,
) -> None:
    await known_to_fail(gateway, store)
    with pytest.raises(StoreError):
        await gateway.send(stream=stream, **body)
    assert upstream.requests == []


@pytest.mark.parametrize("store_said", [True, False, None])
async def test_what_an_upstream_keeps_needs_no_store(
    gateway: Gateway,
    store: MoodyStore,
    upstream: ScriptedUpstream,
    says: Says,
    store_said: bool | None,
) -> None:
    await known_to_fail(gateway, store)
    upstream.add(says.whole(), says.whole())
    made = await gateway.ask(store=store_said)
    await gateway.ask(previous_response_id=made["id"])
    assert len(upstream.requests) == 2


async def about(gateway: Gateway, operation: Any) -> Any:
    envelope = Envelope(operation=operation, request_id="req_2", response_id="resp_1")
    return await gateway.engine.respond(envelope, Principal())


@pytest.mark.parametrize(
    ("operation", "mood"),
    [
        ("retrieve", "gone"),
        ("retrieve", "mute"),
        ("input_items", "gone"),
        ("delete", "gone"),
        ("cancel", "gone"),
    ],
)
async def test_nobody_is_told_that_a_response_is_not_there_while_nobody_knows(
    gateway: Gateway,
    store: MoodyStore,
    operation: str,
    mood: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.core.keeper._PATIENCE", 0.01)
    await known_to_fail(gateway, store)
    store.mood = mood
    with pytest.raises(StoreError):
        async with asyncio.timeout(TIMEOUT / 2):
            await about(gateway, operation)


async def test_requests_that_need_no_store_do_not_wait_for_one_that_hangs(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says
) -> None:
    store.mood = "mute"
    assert await gateway.engine.store_state() == "unavailable"
    upstream.add(*[says.chat("Luna.")] * 20)
    async with asyncio.timeout(PATIENCE):
        responses = await asyncio.gather(*(whole(gateway) for _ in range(20)))
    assert {response["store"] for response in responses} == {False}
    assert "save" not in store.asked


async def test_a_full_store_can_still_be_read(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(*[says.chat("Luna.")] * 3)
    kept = await whole(gateway)
    store.mood = "full"
    assert (await whole(gateway))["store"] is False
    assert await gateway.engine.store_state() == "unavailable"
    assert await gateway.retrieve(kept["id"]) == kept
    assert (await whole(gateway, previous_response_id=kept["id"]))["store"] is False


@pytest.mark.parametrize("mood", ["gone", "full"])
async def test_a_store_that_is_back_is_used_again_though_nobody_asks_for_it(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says, mood: str
) -> None:
    await known_to_fail(gateway, store, mood)
    store.mood = "fine"
    await recovered(gateway)
    upstream.add(says.chat("Luna."))
    response = await whole(gateway)
    assert response["store"] is True
    assert await gateway.retrieve(response["id"]) == response


async def test_one_line_is_logged_when_a_store_fails_and_one_when_it_is_back(
    gateway: Gateway,
    store: MoodyStore,
    upstream: ScriptedUpstream,
    says: Says,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="gateway")
    upstream.add(*[says.chat("Luna.")] * 5)
    store.mood = "full"
    for _ in range(5):
        await whole(gateway)
    store.mood = "fine"
    await recovered(gateway)
    said = [(record.levelname, record.message) for record in caplog.records]
    assert said == [
        ("ERROR", "the store does not answer: the store is full"),
        ("WARNING", "the store answers again"),
    ]


async def test_a_store_that_is_down_at_the_start_is_seen_before_anybody_needs_it(
    open_gateway: OpenGateway,
    deploy: Deploy,
    upstream: ScriptedUpstream,
    says: Says,
) -> None:
    store = MoodyStore("gone")
    chatty = deploy(upstream, name="chatty", model="openai_compatible/m")
    async with open_gateway(chatty, store=cast("Store", store)) as gateway:
        upstream.add(says.chat("Luna."), says.chat("Luna."))
        assert (await whole(gateway))["store"] is False
        assert await gateway.engine.store_state() == "unavailable"
        store.mood = "fine"
        await recovered(gateway)
        assert (await whole(gateway))["store"] is True


async def test_the_gateways_own_trials_leave_nothing(gateway: Gateway, store: MoodyStore) -> None:
    await known_to_fail(gateway, store)
    store.mood = "fine"
    await recovered(gateway)
    assert await getattr(store, "purge")(0.0) == 0  # noqa: B009 - it has no such attribute


async def test_a_stream_that_cannot_be_added_to_its_conversation_fails(
    gateway: Gateway, store: MoodyStore, upstream: ScriptedUpstream, says: Says
) -> None:
    made = json.loads(await gateway.engine.conversations.create("default", b"{}"))
    upstream.add(says.chat("Luna."), event_stream(*says.frames("created", "completed")))
    for model in ("chatty", "fast"):
        store.mood = "no items"
        events = await gateway.stream(model=model, conversation=made["id"])
        assert events[-1]["type"] == "response.failed"
        store.mood = "fine"
        await recovered(gateway)
