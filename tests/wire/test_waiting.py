"""Clients that leave, and upstreams that stall: nobody waits longer than they must."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

from gateway.testing import Fault, Script, ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess

    from .conftest import Invented

pytestmark = pytest.mark.asyncio(loop_scope="session")

SILENT = Script(before=(Fault.STALL,))


@asynccontextmanager
async def asking(http: httpx2.AsyncClient, body: Mapping[str, Any]) -> AsyncGenerator[None]:
    """Ask while the block runs, then leave."""
    question = asyncio.ensure_future(http.post("/responses", json=body))
    yield
    question.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await question


def chat_chunk(text: str) -> bytes:
    return (
        f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n".encode()
    )


def stalling(invented: Invented, model: str) -> Script:
    """Return a stream that says something, and then nothing more."""
    if "chat" in model:
        return event_stream(chat_chunk("Luna"), Fault.STALL)
    return event_stream(*invented.frames()[:5], Fault.STALL)


@pytest.mark.parametrize("model", ["fast", "chatty"])
async def test_a_client_that_leaves_in_mid_stream_cancels_the_upstream(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented, model: str
) -> None:
    upstream.add(stalling(invented, model))
    body = {"model": model, "input": "hello", "stream": True}
    async with http.stream("POST", "/responses", json=body) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: response.output_text.delta"):
                break
    departed = await upstream.disconnected()
    assert departed.json()["stream"] is True


@pytest.mark.parametrize("model", ["fast", "chatty"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_answer_cancels_the_upstream(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, model: str, *, stream: bool
) -> None:
    upstream.add(SILENT)
    async with asking(http, {"model": model, "input": "hello", "stream": stream}):
        await upstream.received()
    await upstream.disconnected()


async def test_a_client_that_leaves_a_whole_answer_half_way_cancels_the_upstream(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(stalling(invented, "chatty"))
    async with asking(http, {"model": "chatty", "input": "hello"}):
        await upstream.received()
    await upstream.disconnected()


async def test_the_official_sdk_closes_a_stream_half_way(
    proxy: GatewayProcess,
    upstream: ScriptedUpstream,
    invented: Invented,
    keys: Mapping[str, str],
) -> None:
    upstream.add(stalling(invented, "fast"))
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=keys["alpha"]) as client:
        stream = await client.responses.create(model="fast", input="hello", stream=True)
        assert (await anext(stream)).type == "response.created"
        await stream.close()
        await upstream.disconnected()


@pytest.mark.parametrize("model", ["hasty", "hasty-chatty"])
@pytest.mark.parametrize("stream", [True, False])
async def test_an_upstream_without_a_first_byte_is_a_timeout(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, model: str, *, stream: bool
) -> None:
    upstream.add(SILENT)
    answer = await http.post("/responses", json={"model": model, "input": "hi", "stream": stream})
    assert answer.status_code == 504
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("server_error", "upstream_timeout")
    await upstream.disconnected()


@pytest.mark.parametrize("model", ["hasty", "hasty-chatty"])
async def test_an_upstream_that_falls_silent_in_mid_stream_ends_the_stream(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented, model: str
) -> None:
    upstream.add(stalling(invented, model))
    answer = await http.post("/responses", json={"model": model, "input": "hi", "stream": True})
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    error, failed = (json.loads(line.removeprefix("data: ")) for line in lines[-2:])
    assert (error["type"], error["code"], error["error"]["code"]) == (
        "error",
        "upstream_timeout",
        "upstream_timeout",
    )
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    await upstream.disconnected()


async def test_a_whole_answer_that_falls_silent_is_a_timeout(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    kind = {"content-type": "application/json"}
    upstream.add(Script(headers=kind, body=(b'{"id": "resp_1", ', Fault.STALL)))
    answer = await http.post("/responses", json={"model": "hasty", "input": "hi"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    await upstream.disconnected()
