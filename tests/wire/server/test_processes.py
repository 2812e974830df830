"""The gateway as a process: signals, and several workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from gateway.testing import ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

FIRST = b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'
LAST = (
    b'event: response.completed\ndata: {"type":"response.completed",'
    b'"response":{"id":"resp_1","status":"completed"}}\n\n'
)
STREAM = {"model": "fast", "input": "hello", "stream": True}


def configuration(upstream: ScriptedUpstream | None, **server: Any) -> dict[str, Any]:
    url = f"{upstream.url}/v1" if upstream else "http://127.0.0.1:1/v1"
    parameters = {"model": "openai/gpt-invented", "api_key": "sk-invented", "base_url": url}
    return {"model_list": [{"model_name": "fast", "params": parameters}], "server": server}


async def ended(gateway: GatewayProcess) -> int:
    return await asyncio.to_thread(gateway.process.wait, 20)


def workers_of(gateway: GatewayProcess) -> list[int]:
    pid = gateway.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("this kernel does not tell who is whose child")
    return [int(child) for child in children.read_text().split()]


@pytest.mark.parametrize(
    ("engine", "workers"), [("hypercorn", 1), ("hypercorn", 2), ("granian", 1), ("uvicorn", 2)]
)
async def test_sigterm_lets_a_running_stream_finish(
    run_gateway: RunGateway, engine: str, workers: int
) -> None:
    gate = asyncio.Event()
    async with ScriptedUpstream(event_stream(FIRST, gate, LAST)) as upstream:
        config = configuration(upstream, engine=engine, workers=workers)
        with run_gateway(config) as gateway:
            async with (
                httpx2.AsyncClient(base_url=gateway.url, trust_env=False) as client,
                client.stream("POST", "/v1/responses", json=STREAM) as answer,
            ):
                pieces = answer.aiter_bytes()
                assert b"response.created" in await anext(pieces)
                gateway.process.terminate()
                await until_refused(gateway)
                gate.set()
                assert b"response.completed" in b"".join([piece async for piece in pieces])
            assert await ended(gateway) == 0


async def until_refused(gateway: GatewayProcess) -> None:
    port = int(gateway.url.rpartition(":")[2])
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was waiting to be accepted
            continue
        writer.close()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("engine", "workers"), [("hypercorn", 1), ("hypercorn", 2), ("granian", 2), ("uvicorn", 1)]
)
async def test_a_second_sigint_cuts_a_running_stream(
    run_gateway: RunGateway, engine: str, workers: int
) -> None:
    async with ScriptedUpstream(event_stream(FIRST, asyncio.Event())) as upstream:
        config = configuration(upstream, engine=engine, workers=workers, drain_seconds=600)
        with run_gateway(config) as gateway:
            async with (
                httpx2.AsyncClient(base_url=gateway.url, trust_env=False) as client,
                client.stream("POST", "/v1/responses", json=STREAM) as answer,
            ):
                pieces = answer.aiter_bytes()
                await anext(pieces)
                gateway.process.send_signal(signal.SIGINT)
                await until_refused(gateway)
                gateway.process.send_signal(signal.SIGINT)
                with pytest.raises(httpx2.RemoteProtocolError):
                    await anext(pieces)
                await upstream.disconnected()
            assert await ended(gateway) == 0


async def replacement_of(gateway: GatewayProcess, worker: int) -> int:
    before = set(workers_of(gateway))
    while True:
        if new := set(workers_of(gateway)) - before - {worker}:
            return new.pop()
        await asyncio.sleep(0.05)


async def test_a_worker_that_dies_is_replaced(run_gateway: RunGateway) -> None:
    with run_gateway(configuration(None, workers=2)) as gateway:
        killed, kept = workers_of(gateway)
        os.kill(killed, signal.SIGKILL)
        assert await replacement_of(gateway, killed) != kept
        assert f"worker {killed} died with status -9, starting another" in gateway.log
        for _ in range(10):  # some of these wait in the socket that the new one takes over
            async with httpx2.AsyncClient(base_url=gateway.url, trust_env=False) as client:
                assert (await client.get("/health/ready")).status_code == 200


async def test_workers_end_when_their_supervisor_is_killed(run_gateway: RunGateway) -> None:
    unclean_end = contextlib.suppress(AssertionError)  # the fixture would have a clean one
    with unclean_end, run_gateway(configuration(None, workers=2)) as gateway:
        gateway.process.kill()
        async with asyncio.timeout(20):
            await until_refused(gateway)


def test_workers_that_cannot_start_say_why_and_end(run_gateway: RunGateway) -> None:
    config = configuration(None, workers=2)
    config["model_list"][0]["params"]["model"] = "nobody/has-this"
    with (
        pytest.raises(AssertionError, match="no installed plugin offers the provider 'nobody'"),
        run_gateway(config),
    ):
        raise RuntimeError("it started")
