"""Server and application together: streams, clients that leave, bad and refused requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import openai
import pytest

from gateway.http import reception

if TYPE_CHECKING:
    from .conftest import ScriptedEngine, Serve

KEY = "the key of the tests"
STREAM = b'{"stream":true}'
FIRST, SECOND = b"data: 1\n\n", b"data: 2\n\n"


async def test_a_stream_arrives_block_by_block(
    serve: Serve, engine: ScriptedEngine, server_engine: str
) -> None:
    async with serve() as service:
        exchange = await service.ask(STREAM)
        head = await exchange.until(b"\r\n\r\n")
        assert b"200" in head
        assert (b"server:" in head.lower()) == (server_engine == "granian")  # which insists
        await exchange.until(FIRST)
        engine.streams[0].gate.set()
        await exchange.until(SECOND)
        await exchange.until(b"0\r\n\r\n")
        assert engine.streams[0].closed.is_set()


async def test_a_client_that_leaves_closes_its_stream_at_once(
    serve: Serve, engine: ScriptedEngine
) -> None:
    async with serve() as service:
        exchange = await service.ask(STREAM)
        await exchange.until(FIRST)
        await exchange.close()
        await engine.streams[0].closed.wait()


async def test_a_client_that_leaves_before_the_answer_cancels_the_engine(
    serve: Serve, engine: ScriptedEngine
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    engine.work = work
    async with serve() as service:
        exchange = await service.ask(b"{}")
        await begun.wait()
        await exchange.close()
        await cancelled.wait()


async def test_a_connection_is_used_again(serve: Serve) -> None:
    request = (
        b"POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode() + b"\r\n"
        b'content-length: 7\r\n\r\n{"n":%d}'
    )
    async with serve() as service:
        reader, writer = await service.connect()
        for number in range(3):
            writer.write(request % number)
            assert (await reader.readuntil(b"}")).endswith(b'{"n":%d}' % number)


async def test_a_bug_in_mid_stream_cuts_the_connection_and_is_logged_once(
    serve: Serve, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve() as service:
        exchange = await service.ask(STREAM)
        await exchange.until(FIRST)
        engine.streams[0].fail(RuntimeError("a bug"))
        assert not (await exchange.rest()).endswith(b"0\r\n\r\n")
        await exchange.close()
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "RuntimeError: a bug" in caplog.text
    assert "while answering request req_" in caplog.text


# granian keeps its connections to itself.
@pytest.mark.parametrize("server_engine", ["hypercorn", "uvicorn"], indirect=True)
@pytest.mark.parametrize("request_line", [b"", b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"])
async def test_a_client_that_leaves_an_idle_connection_is_forgotten_at_once(
    serve: Serve, request_line: bytes
) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(request_line)
        if request_line:
            await reader.readuntil(b"}")
        writer.close()
        await service.server._connections.gone()


async def test_a_connection_that_stays_idle_is_closed(
    serve: Serve, server_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"gateway.server.{server_engine}.IDLE_SECONDS", 0.3)
    async with serve() as service:
        reader, writer = await service.connect()
        loop = asyncio.get_running_loop()
        asked = 0.0
        for _ in range(2):  # a request begins the wait anew
            asked = loop.time()
            writer.write(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"}")
        assert await reader.read() == b""
        assert loop.time() - asked > 0.25
        writer.close()


async def test_a_request_outlives_the_wait_for_it(
    serve: Serve, engine: ScriptedEngine, server_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"gateway.server.{server_engine}.IDLE_SECONDS", 0.05)
    async with serve() as service:
        exchange = await service.ask(STREAM)
        await exchange.until(FIRST)
        asyncio.get_running_loop().call_later(0.2, engine.streams[0].gate.set)
        await exchange.until(b"0\r\n\r\n")


@pytest.mark.parametrize("head", [b"", b"GET /health/live HTTP/1.1\r\nhost: x\r\n"])
async def test_a_client_that_does_not_finish_its_head_is_cut_off(
    serve: Serve, server_engine: str, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"gateway.server.{server_engine}.IDLE_SECONDS", 0.1)
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(head)
        assert b"200" not in await reader.read()


async def test_a_head_without_end_is_cut_off(serve: Serve) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(b"GET /health/live HTTP/1.1\r\nx: ")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing() and not reader.at_eof():
                writer.write(b"y" * 10_000)
                await writer.drain()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"POST /v1/responses HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n", 400),
        (b"POST /v1/resp onses HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET /v1/models HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 66_000, 431),
    ],
    ids=["header", "target", "length", "headers too large"],
)
async def test_a_malformed_request_is_refused(
    serve: Serve, request_line: bytes, status: int
) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(request_line)
        assert (await reader.read()).startswith(b"HTTP/1.1 %d" % status)


# granian now and then closes the connection after the answer.
@pytest.mark.parametrize("server_engine", ["hypercorn", "uvicorn"], indirect=True)
async def test_an_upload_that_is_refused_early_gets_its_answer_and_blocks_nothing(
    serve: Serve,
) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(
            b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        writer.write(b"1\r\nx\r\n" * 1000)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401")
        # The upload may go on, and its connection be used for another request.
        writer.write(
            b"1\r\nx\r\n" * 1000 + b"0\r\n\r\nGET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
        )
        assert b"HTTP/1.1 200" in await reader.readuntil(b'{"status":"ok"}')


async def test_an_upload_without_end_is_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "_LINGER_SECONDS", 0.05)
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(
            b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing() and not reader.at_eof():
                writer.write(b"1\r\nx\r\n" * 1000)
                await writer.drain()


async def test_a_body_over_the_limit_is_refused_although_the_client_may_go_on(
    serve: Serve, server_engine: str
) -> None:
    async with serve() as service:
        exchange = await service.ask(b"x" * 200_000, expect="100-continue")
        if server_engine == "hypercorn":  # the others ask for nothing that is not read
            assert (await exchange.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        assert (await exchange.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 413")
        error = json.loads(await exchange.until(b"}}"))["error"]
        assert error["code"] == "request_too_large"


async def test_a_websocket_is_refused_with_426(serve: Serve) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(
            b"GET /v1/responses HTTP/1.1\r\nhost: x\r\n"
            b"connection: Upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        answer = await reader.readuntil(b"}}")
        assert answer.startswith(b"HTTP/1.1 426")
        assert b'"code":"websocket_not_supported"' in answer


async def test_the_openai_sdk_knows_a_wrong_key(serve: Serve) -> None:
    async with (
        serve() as service,
        openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="wrong") as client,
    ):
        with pytest.raises(openai.AuthenticationError) as raised:
            await client.responses.create(model="fast", input="hello")
    assert raised.value.code == "invalid_api_key"
    assert raised.value.request_id == raised.value.response.headers["x-request-id"]


async def test_the_openai_sdk_lists_the_models_with_either_header(serve: Serve) -> None:
    async with serve() as service:
        async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key=KEY) as client:
            assert [model.id async for model in client.models.list()] == ["fast"]
        azure = openai.AsyncAzureOpenAI(
            base_url=f"{service.url}/v1", api_key=KEY, api_version="preview"
        )
        async with azure as client:
            assert (await client.models.retrieve("fast")).id == "fast"
