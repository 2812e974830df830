"""Stopping while responses are made in the background: one time limit for all that is under way."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from gateway.testing import ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

DRAIN = 4.0  # seconds
PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"Luna"}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
WORK = {"model": "fast", "input": "hello", "background": True}
STREAM = {"model": "fast", "input": "hello", "stream": True}

Configure = Callable[..., dict[str, Any]]


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def configure(upstream: ScriptedUpstream, tmp_path: Path) -> Configure:
    """Return a function that writes the configuration of a gateway with such a server."""

    def configuration(**server: Any) -> dict[str, Any]:
        model = {"model": "openai_compatible/invented", "base_url": f"{upstream.url}/v1"}
        return {
            "model_list": [{"model_name": "fast", "params": {**model, "api_key": "sk-invented"}}],
            "server": server,
            "state": {"store": "sqlite", "directory": str(tmp_path)},
        }

    return configuration


@asynccontextmanager
async def visit(gateway: GatewayProcess) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        base_url=f"{gateway.url}/v1", timeout=30, trust_env=False
    ) as client:
        yield client


async def ended(gateway: GatewayProcess) -> int:
    return await asyncio.to_thread(gateway.process.wait, 30)


async def occupy(client: httpx2.AsyncClient, upstream: ScriptedUpstream) -> None:
    """Have a response made in the background of which the end does not come."""
    upstream.add(event_stream(PIECE, asyncio.Event()))
    assert (await client.post("/responses", json=WORK)).status_code == 200
    await upstream.received()


async def test_requests_and_work_in_the_background_have_the_same_time(
    run_gateway: RunGateway, configure: Configure, upstream: ScriptedUpstream
) -> None:
    with run_gateway(configure(drain_seconds=DRAIN)) as gateway:
        async with visit(gateway) as client:
            await occupy(client, upstream)
            upstream.add(event_stream(PIECE, asyncio.Event()))
            async with client.stream("POST", "/responses", json=STREAM) as answer:
                pieces = answer.aiter_bytes()
                await anext(pieces)
                gateway.process.terminate()
                with pytest.raises(httpx2.RemoteProtocolError):
                    _ = [piece async for piece in pieces]
        async with asyncio.timeout(DRAIN):  # what a second limit after the first would take
            assert await ended(gateway) == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_second_sigint_cuts_work_in_the_background(
    run_gateway: RunGateway, configure: Configure, upstream: ScriptedUpstream, workers: int
) -> None:
    with run_gateway(configure(drain_seconds=600, workers=workers)) as gateway:
        async with visit(gateway) as client:
            await occupy(client, upstream)
        gateway.process.send_signal(signal.SIGINT)
        await until_refused(gateway)
        gateway.process.send_signal(signal.SIGINT)
        assert await ended(gateway) == 0


async def test_work_that_comes_after_the_signal_is_left_to_another_process(
    run_gateway: RunGateway, configure: Configure, upstream: ScriptedUpstream
) -> None:
    config = configure()
    body = json.dumps(WORK).encode()
    with run_gateway(config) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        writer.write(
            b"POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")  # it waits for the body
        gateway.process.terminate()
        await until_refused(gateway)
        writer.write(body)
        _, _, answered = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        assert await ended(gateway) == 0
    queued = json.loads(answered)
    assert (queued["status"], upstream.requests) == ("queued", [])
    upstream.add(event_stream(PIECE, END))
    with run_gateway(config) as gateway:
        async with visit(gateway) as client:
            told = (await client.get(f"/responses/{queued['id']}?stream=true")).text
    assert "event: response.completed" in told


def port_of(gateway: GatewayProcess) -> int:
    return int(gateway.url.rpartition(":")[2])


async def until_refused(gateway: GatewayProcess) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port_of(gateway))
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was waiting to be accepted
            continue
        writer.close()
        await asyncio.sleep(0.01)
