"""Responses that wait in line, and go before their turn, on each kind of store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from gateway.testing import event_stream

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream

    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

HANDS = 64  # responses that one process makes at once
PATIENCE = 20.0


@pytest_asyncio.fixture(loop_scope="session")
async def busy(alpha: Teller, vendor: Vendor, upstream: ScriptedUpstream) -> AsyncGenerator[None]:
    """Keep the gateway so busy that what comes now waits in line."""
    gate = asyncio.Event()
    first, *rest = vendor.chat({"content": "done"}).body
    vendor.will(*[event_stream(first, gate, *rest)] * HANDS)
    made = [await alpha.ask("x", background=True) for _ in range(HANDS)]
    for _ in made:
        await upstream.received()
    yield
    gate.set()
    async with asyncio.timeout(PATIENCE):
        for each in made:
            await alpha.told(each.id)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("end", ["cancel", "delete"])
async def test_a_response_that_goes_out_of_the_line_lets_others_into_its_conversation(
    alpha: Teller, vendor: Vendor, end: str
) -> None:
    conversation = (await alpha.client.conversations.create()).id
    queued = await alpha.ask("one", background=True, conversation=conversation)
    assert (await alpha.kept(queued.id))["status"] == "queued"
    await getattr(alpha.client.responses, end)(queued.id)
    await alpha.ask("two", conversation=conversation)
    assert vendor.told == [("user", "two")]


async def test_a_response_that_is_deleted_while_it_is_made_lets_others_into_its_conversation(
    alpha: Teller, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    conversation = (await alpha.client.conversations.create()).id
    vendor.will(event_stream(vendor.chat({"content": "Luna"}).body[0], asyncio.Event()))
    made = await alpha.ask("one", background=True, conversation=conversation)
    await upstream.received()
    await alpha.client.responses.delete(made.id)
    await alpha.ask("two", conversation=conversation)
    assert vendor.told == [("user", "two")]
    async with asyncio.timeout(PATIENCE):
        await upstream.disconnected()
    await alpha.ask("three", conversation=conversation)
    assert [text for _, text in vendor.told] == ["two", "two", "three"]
