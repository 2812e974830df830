"""How the body of a stream is framed over HTTP/1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import ScriptedEngine, Serve

KEY = b"the key of the tests"
STREAM = b'{"stream":true}'
pytestmark = pytest.mark.parametrize("server_engine", ["hypercorn"], indirect=True)


@pytest.mark.parametrize(
    ("version", "first", "second"),
    [
        (b"1.1", b"9\r\ndata: 1\n\n\r\n", b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"),
        (b"1.0", b"data: 1\n\n", b"data: 2\n\n"),
    ],
)
async def test_each_block_of_a_stream_is_one_chunk_for_those_who_know_chunks(
    serve: Serve, engine: ScriptedEngine, version: bytes, first: bytes, second: bytes
) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        writer.write(
            b"POST /v1/responses HTTP/%b\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (version, KEY, len(STREAM), STREAM)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert (b"transfer-encoding: chunked" in head.lower()) == (version == b"1.1")
        assert await reader.readexactly(len(first)) == first
        engine.streams[0].gate.set()
        assert await reader.read() == second


async def test_a_connection_takes_whole_answers_and_streams_in_turns(
    serve: Serve, engine: ScriptedEngine
) -> None:
    async with serve() as service:
        reader, writer = await service.connect()
        for body in (STREAM, b'{"a":1}', STREAM):
            writer.write(
                b"POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
                b"content-length: %d\r\n\r\n%b" % (KEY, len(body), body)
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if body == STREAM:
                engine.streams[-1].gate.set()
                await reader.readuntil(b"0\r\n\r\n")
            else:
                assert b"content-length: %d\r\n" % len(body) in head
                assert await reader.readexactly(len(body)) == body
