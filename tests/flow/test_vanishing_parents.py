"""Responses whose predecessor goes between the moment that it is read and the one that they are
kept: they know all of it nevertheless, whoever makes them. What upstreams say is invented.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope, Streamed, Whole
from gateway.core.principal import Principal
from gateway.errors import NotFoundError
from gateway.plugin import Job, Operation, Origin, Record, StoredItem
from gateway.store.memory import MemoryStore
from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]
Ask = Callable[..., Awaitable[str]]

LATER = 1e12


class FickleStore(MemoryStore):
    """Forgets a response just before the next one is written, if it is told to: the one with the id
    `deleted`, or with `expired` all that there are.
    """

    deleted = ""
    expired = False

    async def save(
        self,
        record: Record,
        origin: Origin,
        inputs: Sequence[StoredItem],
        outputs: Sequence[StoredItem],
        /,
    ) -> None:
        await self._forget(record.tenant)
        await super().save(record, origin, inputs, outputs)

    async def enqueue(
        self, record: Record, origin: Origin, inputs: Sequence[StoredItem], job: Job, /
    ) -> None:
        await self._forget(record.tenant)
        await super().enqueue(record, origin, inputs, job)

    async def _forget(self, tenant: str) -> None:
        await self.delete(tenant, self.deleted)
        if self.expired:
            await self.purge(LATER)
        self.deleted, self.expired = "", False


@pytest.fixture
def store() -> FickleStore:
    return FickleStore()


@pytest.fixture
async def gateway(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream, store: FickleStore
) -> AsyncGenerator[Gateway]:
    """Return a gateway with that store, a translated model, and a native one whose history is
    held here.
    """
    models = (
        deploy(upstream, name="chatty", model="openai_compatible/m"),
        deploy(upstream, name="held", history="gateway"),
    )
    async with open_gateway(*models, store=store) as gateway:
        yield gateway


async def whole(gateway: Gateway, **body: Any) -> str:
    return (await gateway.ask(model="chatty", **body))["id"]


async def streamed(gateway: Gateway, **body: Any) -> str:
    return (await gateway.stream(model="chatty", **body))[-1]["response"]["id"]


async def held(gateway: Gateway, **body: Any) -> str:
    return (await gateway.ask(model="held", **body))["id"]


async def held_streamed(gateway: Gateway, **body: Any) -> str:
    return (await gateway.stream(model="held", **body))[-1]["response"]["id"]


async def in_background(gateway: Gateway, **body: Any) -> str:
    response_id = (await gateway.ask(model="chatty", background=True, **body))["id"]
    envelope = Envelope(
        operation="retrieve", request_id="req_2", response_id=response_id, query="stream=true"
    )
    reply = await gateway.engine.respond(envelope, Principal())
    assert isinstance(reply, Streamed)
    async for _ in reply.blocks:
        pass
    return response_id


async def streamed_in_background(gateway: Gateway, **body: Any) -> str:
    return await streamed(gateway, background=True, **body)


NATIVE = {held: "whole", held_streamed: "stream"}
WAYS = (whole, streamed, in_background, streamed_in_background, *NATIVE)


@pytest.fixture(params=WAYS)
def ask(
    request: pytest.FixtureRequest, gateway: Gateway, upstream: ScriptedUpstream, says: Says
) -> Ask:
    """Return what has a response made, in one of all ways, and returns its id."""

    async def asking(**body: Any) -> str:
        native = NATIVE.get(request.param)
        upstream.add(getattr(says, native)() if native else says.chat("Luna."))
        return await request.param(gateway, **body)

    return asking


async def about(gateway: Gateway, operation: Operation, response_id: str) -> Any:
    query = "order=asc&limit=100" if operation == "input_items" else ""
    envelope = Envelope(
        operation=operation, request_id="req_3", response_id=response_id, query=query
    )
    reply = await gateway.engine.respond(envelope, Principal())
    assert isinstance(reply, Whole)
    return json.loads(reply.body)


async def inputs(gateway: Gateway, response_id: str) -> list[Any]:
    return (await about(gateway, "input_items", response_id))["data"]


@pytest.mark.parametrize("way", ["deleted", "expired"])
async def test_a_child_is_kept_with_all_that_came_before(
    gateway: Gateway, store: FickleStore, ask: Ask, way: str
) -> None:
    root = await ask(input="0")
    parent = await ask(input="1", previous_response_id=root)
    sibling = await ask(input="2", previous_response_id=parent)
    expected = await inputs(gateway, sibling)
    store.deleted, store.expired = (parent, False) if way == "deleted" else ("", True)
    child = await ask(input="2", previous_response_id=parent)
    with pytest.raises(NotFoundError):
        await about(gateway, "retrieve", parent)
    made = await about(gateway, "retrieve", child)
    assert (made["status"], made["previous_response_id"]) == ("completed", parent)
    assert len(expected) == 5
    assert await inputs(gateway, child) == expected
    after = await ask(input="3", previous_response_id=child)
    assert (await inputs(gateway, after))[:-1] == [*expected, *made["output"]]


async def test_a_child_can_be_deleted_like_any_other(
    gateway: Gateway, store: FickleStore, ask: Ask
) -> None:
    parent = await ask(input="0")
    items = [item["id"] for item in (await about(gateway, "retrieve", parent))["output"]]
    store.deleted = parent
    child = await ask(input="1", previous_response_id=parent)
    await store.purge(0)
    assert [*await store.items("default", items)] == items
    await about(gateway, "delete", child)
    await store.purge(0)
    assert await store.items("default", items) == {}
