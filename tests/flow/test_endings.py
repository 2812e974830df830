"""However a request ends, its permit is given back and the observers are told once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from gateway.config import ModelEntry, Timeouts
from gateway.core.exchange import Streamed
from gateway.errors import GatewayError, RateLimitError
from gateway.testing import Fault, Script, ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]
Ending = Callable[["Gateway", ScriptedUpstream, "Says"], Awaitable[None]]

SILENT = Script(before=(Fault.STALL,))


async def whole(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(says.whole())
    await gateway.ask()


async def whole_incomplete(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(says.whole(status="incomplete"))
    await gateway.ask()


async def whole_of_chat(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(says.chat("Luna"))
    await gateway.ask(model="chatty")


async def streamed(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(says.stream())
    await gateway.stream()


async def streamed_of_chat(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(says.chat("Luna"))
    await gateway.stream(model="chatty")


async def refused(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(says.failure(400))
    with contextlib.suppress(GatewayError):
        await gateway.ask()


async def unreadable(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    with contextlib.suppress(GatewayError):
        await gateway.ask(model=5)


async def inexpressible(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    with contextlib.suppress(GatewayError):
        await gateway.ask(model="chatty", prompt={"id": "pmpt_1"})


async def cut(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(event_stream(*says.frames("created"), Fault.CUT))
    await gateway.stream()


async def closed_half_way(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(event_stream(*says.frames("created"), Fault.STALL))
    reply = await gateway.send(stream=True)
    assert isinstance(reply, Streamed)
    await anext(reply.blocks)
    await reply.blocks.aclose()
    await upstream.disconnected()


async def never_begun(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(event_stream(*says.frames("created"), Fault.STALL))
    reply = await gateway.send(stream=True)
    assert isinstance(reply, Streamed)
    await reply.blocks.aclose()
    await upstream.disconnected()


async def cancelled_while_reading(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(event_stream(*says.frames("created"), Fault.STALL))
    reply = await gateway.send(stream=True)
    assert isinstance(reply, Streamed)
    await anext(reply.blocks)
    with contextlib.suppress(TimeoutError):
        async with contextlib.aclosing(reply.blocks) as blocks, asyncio.timeout(0):
            await anext(blocks)
    await upstream.disconnected()


async def cancelled_while_waiting(gateway: Gateway, upstream: ScriptedUpstream, says: Says) -> None:
    upstream.add(SILENT)
    asking = asyncio.ensure_future(gateway.ask())
    await upstream.received()
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await upstream.disconnected()


ENDINGS: dict[Ending, tuple[str, int, str | None, int]] = {
    whole: ("completed", 200, None, 1),
    whole_incomplete: ("incomplete", 200, None, 1),
    whole_of_chat: ("completed", 200, None, 1),
    streamed: ("completed", 200, None, 1),
    streamed_of_chat: ("completed", 200, None, 1),
    refused: ("failed", 400, "server_error", 1),
    unreadable: ("failed", 400, "invalid_type", 0),
    inexpressible: ("failed", 400, "unsupported_parameter", 1),
    cut: ("failed", 502, "upstream_protocol_error", 1),
    closed_half_way: ("cancelled", 200, None, 1),
    never_begun: ("cancelled", 200, None, 1),
    cancelled_while_reading: ("cancelled", 200, None, 1),
    cancelled_while_waiting: ("cancelled", 200, None, 1),
}


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
async def test_every_ending_gives_the_permit_back_and_is_told_once(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
    ending: Ending,
) -> None:
    chatty = deploy(upstream, name="chatty", model="openai_compatible/chat")
    async with open_gateway(deploy(upstream), chatty, max_in_flight=1) as gateway:
        await ending(gateway, upstream, says)
        [record] = gateway.records
        told = (record.outcome, record.status, record.error_code, record.attempts)
        assert told == ENDINGS[ending]
        upstream.forget()
        await whole(gateway, upstream, says)
        assert len(gateway.records) == 2


async def test_a_stream_holds_its_permit_until_it_ends(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.stream())
    async with open_gateway(deploy(upstream), max_in_flight=1) as gateway:
        reply = await gateway.send(stream=True)
        with pytest.raises(RateLimitError):
            await gateway.ask()
        assert isinstance(reply, Streamed)
        assert [block async for block in reply.blocks]
        await whole(gateway, upstream, says)


async def test_the_record_tells_who_asked_whom_for_what(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.stream())
    async with open_gateway(deploy(upstream, model="openai/gpt-5")) as gateway:
        await gateway.stream()
    [record] = gateway.records
    assert (record.request_id, record.tenant, record.operation) == ("req_1", "default", "create")
    assert (record.model, record.provider, record.upstream_model) == ("fast", "openai", "gpt-5")
    assert record.stream
    assert record.usage is not None
    assert record.usage.total_tokens == 7


async def test_a_dropped_hint_is_named_in_a_header(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.chat("Luna"), says.chat("Luna"))
    chatty = deploy(upstream, model="openai_compatible/chat")
    async with open_gateway(chatty) as gateway:
        for stream in (True, False):
            reply = await gateway.send(stream=stream, user="u", safety_identifier="s")
            assert set(reply.headers["x-gateway-dropped-params"].split(", ")) == {
                "user",
                "safety_identifier",
            }
            if isinstance(reply, Streamed):
                await reply.blocks.aclose()


async def test_a_parameter_that_nobody_knows_is_named_as_dropped(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.chat("Luna"))
    unknown = {"frobnicate": 1, "client_metadata": {}, "x\r\nset-cookie: a": 2}
    async with open_gateway(deploy(upstream, model="openai_compatible/chat")) as gateway:
        reply = await gateway.send(**unknown)
    assert reply.headers["x-gateway-dropped-params"] == "frobnicate, ?"


async def test_what_cannot_be_expressed_is_refused_before_the_upstream_is_asked(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy
) -> None:
    async with open_gateway(deploy(upstream, model="openai_compatible/chat")) as gateway:
        with pytest.raises(GatewayError) as raised:
            await gateway.ask(tools=[{"type": "web_search"}])
    assert (raised.value.status, raised.value.param) == (400, "tools[0].type")
    assert upstream.requests == []


async def test_json_for_a_stream_is_streamed_all_the_same(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy
) -> None:
    message = {"role": "assistant", "content": "Luna slept."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    upstream.add(json_answer({"id": "c", "object": "chat.completion", "choices": [choice]}))
    async with open_gateway(deploy(upstream, model="openai_compatible/chat")) as gateway:
        events = await gateway.stream()
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Luna slept."


async def test_json_for_a_stream_of_a_native_upstream_is_its_fault(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.whole())
    async with open_gateway(deploy(upstream)) as gateway:
        with pytest.raises(GatewayError) as raised:
            await gateway.stream()
    assert (raised.value.status, raised.value.code) == (502, "upstream_protocol_error")


async def test_an_upstream_that_stalls_in_mid_stream_is_left(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(event_stream(*says.frames("created"), Fault.STALL))
    hasty = Timeouts(connect=10, first_byte=10, idle=0.3)
    async with open_gateway(deploy(upstream, timeouts=hasty)) as gateway:
        events = await gateway.stream()
        await upstream.disconnected()
    assert events[-2]["error"]["code"] == "upstream_timeout"
    assert events[-1]["type"] == "response.failed"
    assert gateway.records[0].error_code == "upstream_timeout"
