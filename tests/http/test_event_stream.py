"""Streams: one send for each block, a comment in silence, and a client that leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from starlette.types import Message

from gateway.config import Config
from gateway.core.exchange import Envelope, Reply
from gateway.http.app import create_app
from gateway.http.event_stream import Line

if TYPE_CHECKING:
    from .conftest import Client, ScriptedEngine


async def given(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def test_each_block_is_sent_as_it_is(client: Client, engine: ScriptedEngine) -> None:
    blocks = [b"event: a\ndata: {}\n\n", b"event: b\ndata: {}\n\ndata: [DONE]\n\n"]
    closable = engine.stream(given(*blocks), {"x-request-id": "req_up"})
    answer = await client.request("POST", "/v1/responses", b"{}")
    assert (answer.status, answer.pieces, answer.ended) == (200, blocks, True)
    assert answer.headers == {
        "x-request-id": "req_up",
        "content-type": "text/event-stream; charset=utf-8",
        "x-accel-buffering": "no",
        "x-gateway-request-id": "req_minted",
    }
    assert closable.closed.is_set()


async def test_a_stream_that_caches_would_keep_says_that_they_must_not(
    client: Client, engine: ScriptedEngine
) -> None:
    engine.stream(given(b"data: 1\n\n"))
    answer = await client.request("GET", "/v1/responses/resp_1?stream=true")
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_stream_without_events_is_an_answer_too(
    client: Client, engine: ScriptedEngine
) -> None:
    engine.stream(given())
    answer = await client.request("POST", "/v1/responses", b"{}")
    assert (answer.status, answer.body, answer.ended) == (200, b"", True)


async def test_when_the_client_leaves_a_stream_its_blocks_are_closed(
    client: Client, engine: ScriptedEngine
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await asyncio.Event().wait()

    closable = engine.stream(endless())
    exchange = client.connect("POST", "/v1/responses", b"{}")
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(exchange.run())
        await exchange.arrived.wait()
        assert not closable.closed.is_set()
        exchange.leave()
        await running
    assert closable.closed.is_set()
    assert not exchange.answer.ended


async def test_when_the_client_leaves_before_the_answer_the_engine_is_cancelled(
    client: Client, engine: ScriptedEngine
) -> None:
    cancelled = asyncio.Event()

    async def slow(envelope: Envelope) -> Reply:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    engine.script = slow
    exchange = client.connect("POST", "/v1/responses", b"{}")
    exchange.leave()
    async with asyncio.timeout(10):
        answer = await exchange.run()
    assert cancelled.is_set()
    assert answer.status == 0


async def test_when_the_server_cancels_a_stream_its_blocks_are_closed(
    client: Client, engine: ScriptedEngine
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await asyncio.Event().wait()

    closable = engine.stream(endless())
    exchange = client.connect("POST", "/v1/responses", b"{}")
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(exchange.run())
        await exchange.arrived.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert closable.closed.is_set()


async def test_a_silent_stream_is_kept_alive_with_comments_between_blocks(
    engine: ScriptedEngine, config: Config, client: Client
) -> None:
    impatient = replace(config.server, keep_alive_seconds=0.01)
    client.app = create_app(engine, replace(config, api_keys=(), server=impatient))
    comments = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await comments.wait()
        yield b"data: 2\n\n"

    engine.stream(slow())
    exchange = client.connect("POST", "/v1/responses", b"{}")
    exchange.on_piece = lambda pieces: comments.set() if len(pieces) == 3 else None
    async with asyncio.timeout(10):
        answer = await exchange.run()
    assert answer.pieces == [
        b"data: 1\n\n",
        b": keep-alive\n\n",
        b": keep-alive\n\n",
        b"data: 2\n\n",
    ]


@pytest.mark.parametrize(("silence", "comments"), [(59.0, 0), (61.0, 1)])
async def test_a_comment_is_sent_only_after_enough_silence(silence: float, comments: int) -> None:
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    line = Line(asyncio.Queue[Message]().get, send, 60.0)

    async def look() -> None:
        line._keep_alive()
        line._sent -= silence
        line._keep_alive()

    await line.hold(look())
    assert len(sent) == comments


async def test_before_the_answer_no_comment_is_sent(
    engine: ScriptedEngine, config: Config, client: Client
) -> None:
    impatient = replace(config.server, keep_alive_seconds=0.001)
    client.app = create_app(engine, replace(config, api_keys=(), server=impatient))
    loop = asyncio.get_running_loop()

    async def slow(envelope: Envelope) -> Reply:
        over = loop.create_future()
        loop.call_later(0.02, over.set_result, None)
        await over
        engine.stream(given(b"data: 1\n\n"))
        return await engine.script(envelope)

    engine.script = slow
    answer = await client.request("POST", "/v1/responses", b"{}")
    assert answer.pieces == [b"data: 1\n\n"]
