"""TLS and HTTP/2: the same promises, on streams that share one connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h2.connection
import h2.errors
import h2.events
import httpx2
import pytest
import trustme

if TYPE_CHECKING:
    from .conftest import ScriptedEngine, Serve, Service

STREAM = b'{"stream":true}'
FIRST, SECOND = b"data: 1\n\n", b"data: 2\n\n"
AUTHORIZED = {"authorization": "Bearer the key of the tests"}

speaks_http2 = pytest.mark.parametrize("server_engine", ["hypercorn"], indirect=True)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """Return the server's settings for TLS."""
    issued = authority.issue_cert("127.0.0.1")
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(paths[0])
    issued.private_key_pem.write_to_path(paths[1])
    return {"tls_certificate": str(paths[0]), "tls_key": str(paths[1])}


@asynccontextmanager
async def client_of(
    service: Service, authority: trustme.CA, *, http2: bool = True
) -> AsyncGenerator[httpx2.AsyncClient]:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with httpx2.AsyncClient(
        base_url=service.url, verify=trusting, http2=http2, headers=AUTHORIZED, trust_env=False
    ) as client:
        yield client


async def test_a_stream_arrives_over_tls(
    serve: Serve, engine: ScriptedEngine, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    async with (
        serve(**certificate) as service,
        client_of(service, authority, http2=False) as client,
        client.stream("POST", "/v1/responses", content=STREAM) as answer,
    ):
        assert service.url.startswith("https://")
        assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")
        blocks = answer.aiter_bytes()
        assert await anext(blocks) == FIRST
        engine.streams[0].gate.set()
        assert await anext(blocks) == SECOND


async def test_a_client_that_leaves_over_tls_closes_its_stream(
    serve: Serve, engine: ScriptedEngine, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    async with (
        serve(**certificate) as service,
        client_of(service, authority, http2=False) as client,
    ):
        async with client.stream("POST", "/v1/responses", content=STREAM) as answer:
            assert await anext(answer.aiter_bytes()) == FIRST
        await engine.streams[0].closed.wait()


@speaks_http2
async def test_a_stream_arrives_over_http2(
    serve: Serve, engine: ScriptedEngine, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    async with (
        serve(**certificate) as service,
        client_of(service, authority) as client,
        client.stream("POST", "/v1/responses", content=STREAM) as answer,
    ):
        assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
        blocks = answer.aiter_bytes()
        assert await anext(blocks) == FIRST
        engine.streams[0].gate.set()
        assert await anext(blocks) == SECOND


class Http2Client:
    """A client that can reset a stream, as browsers do and httpx does not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http2 = h2.connection.H2Connection()
        self._http2.initiate_connection()

    def ask(self, body: bytes) -> int:
        """Send a create and return the number of its stream."""
        number = self._http2.get_next_available_stream_id()
        head = {":method": "POST", ":path": "/v1/responses", ":scheme": "https", ":authority": "x"}
        self._http2.send_headers(number, [*head.items(), *AUTHORIZED.items()])
        self._http2.send_data(number, body, end_stream=True)
        self._flush()
        return number

    def reset(self, number: int) -> None:
        self._http2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        self._flush()

    async def until(self, number: int, data: bytes) -> None:
        """Wait for `data` on the stream of this number."""
        while True:
            for event in self._http2.receive_data(await self._reader.read(65536)):
                if isinstance(event, h2.events.DataReceived) and event.stream_id == number:
                    assert event.data == data
                    return

    def _flush(self) -> None:
        self._writer.write(self._http2.data_to_send())


@speaks_http2
async def test_a_client_that_resets_its_stream_closes_that_one_only(
    serve: Serve, engine: ScriptedEngine, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    trusting = ssl.create_default_context()
    trusting.set_alpn_protocols(["h2"])
    authority.configure_trust(trusting)
    async with serve(**certificate) as service:
        client = Http2Client(*await service.connect(trusting))
        kept = client.ask(STREAM)
        await client.until(kept, FIRST)
        left = client.ask(STREAM)
        await client.until(left, FIRST)
        client.reset(left)
        await engine.streams[1].closed.wait()
        assert not engine.streams[0].closed.is_set()
        engine.streams[0].gate.set()
        await client.until(kept, SECOND)


@speaks_http2
async def test_a_refused_upload_leaves_the_other_streams_alone(
    serve: Serve, engine: ScriptedEngine, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    async with (
        serve(**certificate) as service,
        client_of(service, authority) as client,
        client.stream("POST", "/v1/responses", content=STREAM) as kept,
    ):
        blocks = kept.aiter_bytes()
        assert await anext(blocks) == FIRST
        refused = await client.post("/v1/responses", content=b"x" * 2_000_000)
        assert refused.status_code == 413
        engine.streams[0].gate.set()
        assert await anext(blocks) == SECOND


@speaks_http2
async def test_a_stop_lets_an_http2_stream_finish(
    serve: Serve, engine: ScriptedEngine, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    async with serve(**certificate) as service, client_of(service, authority) as client:
        async with client.stream("POST", "/v1/responses", content=STREAM) as answer:
            blocks = answer.aiter_bytes()
            assert await anext(blocks) == FIRST
            service.stop()
            engine.streams[0].gate.set()
            assert [block async for block in blocks] == [SECOND]
        await service.running


async def test_a_stranger_who_speaks_no_tls_disturbs_nobody(
    serve: Serve, authority: trustme.CA, certificate: dict[str, str]
) -> None:
    async with serve(**certificate) as service, client_of(service, authority) as client:
        reader, writer = await service.connect()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.read()
        assert (await client.get("/health/live")).status_code == 200
