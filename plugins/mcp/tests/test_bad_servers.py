"""Servers that flood, lie, hang and break off: an error each time, soon, and little memory."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from typing import Any

import pytest
from msgspec import json

from gateway.testing.connection import Received
from gateway.testing.script import Fault, Script, event_stream, json_answer, page
from gateway.testing.upstream import ScriptedUpstream, deaf_port
from gateway_mcp.client import McpClient
from gateway_mcp.connection import (
    Connection,
    HttpEndpoint,
    Limits,
    McpError,
    McpHttpError,
    McpProtocolError,
    McpUnreachableError,
)

MEGABYTE = b"x" * 1024 * 1024
JSON = {"content-type": "application/json"}


async def connected(client: McpClient, server: ScriptedUpstream, answer: Script) -> Connection:
    """Connect to a server that says `answer` to all but the first question."""
    found = {"supportedVersions": ["2026-07-28"]}

    def handle(received: Received) -> Script:
        number = received.json()["id"]
        return json_answer({"id": number, "result": found}) if number == 1 else answer

    server.handle("/mcp", handle)
    return await client.connect(HttpEndpoint(url=f"{server.url}/mcp?key=hidden", private=True))


@pytest.mark.parametrize(
    "flood",
    [
        Script(headers=JSON, body=(b'{"id":2,"result":"', *[MEGABYTE] * 100), framing="chunked"),
        Script(
            headers=JSON, body=(b'{"id":2,"result":"', *[MEGABYTE] * 100), framing="until_close"
        ),
        event_stream(b"data: ", *[MEGABYTE] * 100),
        event_stream(*[b'data: {"method":"notifications/progress"}\n\n' * 25_000] * 100),
        event_stream(*[b": comment\n" * 100_000] * 100),
        Script(status=500, headers=JSON, body=(MEGABYTE,) * 100, framing="chunked"),
        Script(
            headers={**JSON, "content-encoding": "gzip"}, body=(gzip.compress(b" " * 100_000_000),)
        ),
    ],
    ids=["chunked", "until closed", "one event", "many events", "comments", "an error", "gzip"],
)
async def test_a_flood_of_100_megabytes_is_cut_off_early(
    flood: Script, client: McpClient, scripted: ScriptedUpstream
) -> None:
    connection = await connected(client, scripted, flood)
    tracemalloc.start()
    try:
        with pytest.raises(McpError, match=r"more than the 1048576 bytes|HTTP status 500"):
            await connection.list_tools()
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (page("<h1>Welcome</h1>"), McpProtocolError),
        (Script(body=(b'{"id":2,"result":{"tools":[]}}',)), McpProtocolError),
        (Script(status=202), McpProtocolError),
        (Script(status=204), McpProtocolError),
        (Script(headers=JSON, body=(b"data: {}\n\n",)), McpProtocolError),
        (Script(headers=JSON, body=(b"{",)), McpProtocolError),
        (Script(headers=JSON), McpProtocolError),
        (json_answer({"id": 3, "result": {"tools": []}}), McpProtocolError),
        (json_answer({"id": 2}), McpProtocolError),
        (json_answer({"id": 2, "result": None}), McpProtocolError),
        (json_answer({"id": 2, "result": {"tools": [{"name": 1}]}}), McpProtocolError),
        (json_answer({"id": 2, "result": {"tools": {}}}), McpProtocolError),
        (json_answer([]), McpProtocolError),
        (event_stream(b"data: {\n\n"), McpProtocolError),
        (event_stream(b'{"id":2,"result":{"tools":[]}}'), McpUnreachableError),
        (event_stream(b"data: ", Fault.CUT), McpUnreachableError),
        (event_stream(b"data: ", Fault.RESET), McpUnreachableError),
        (
            Script(headers=JSON, body=(b'{"id":2', Fault.CUT), framing="chunked"),
            McpUnreachableError,
        ),
        (Script(before=(Fault.CUT,)), McpUnreachableError),
        (Script(before=(b"SSH-2.0-OpenSSH\r\n\r\n", Fault.CUT)), McpUnreachableError),
        (Script(headers={**JSON, "content-encoding": "gzip"}, body=(b"{}",)), McpUnreachableError),
        (Script(status=500, body=(b"oh no",)), McpHttpError),
        (Script(status=429, headers=JSON, body=(b'{"error":"slow down"}',)), McpHttpError),
        (Script(status=302, headers={"location": "http://[::1"}), McpUnreachableError),
    ],
)
async def test_whatever_a_server_sends_is_an_error_of_ours_without_the_url(
    answer: Script, kind: type[McpError], client: McpClient, scripted: ScriptedUpstream
) -> None:
    connection = await connected(client, scripted, answer)
    async with asyncio.timeout(5):
        with pytest.raises(kind) as raised:
            await connection.list_tools()
    told = f"{raised.value!r} {raised.value.__cause__!r}"
    assert "hidden" not in told
    assert "127.0.0.1" not in told


async def test_deeply_nested_json_is_an_error(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    deep: Any = json.encode({"id": 2, "result": 0}).replace(b"0}", b"[" * 300 + b"]" * 300 + b"}")
    connection = await connected(client, scripted, Script(headers=JSON, body=(deep,)))
    with pytest.raises(McpProtocolError, match="nested too deeply"):
        await connection.list_tools()


async def test_an_error_leaves_the_client_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with McpClient():
            raise ZeroDivisionError


async def test_nobody_at_the_port_is_an_error_at_once(client: McpClient) -> None:
    async with ScriptedUpstream() as gone:
        url = f"{gone.url}/mcp"
    with pytest.raises(McpUnreachableError, match="no connection to the server"):
        await client.connect(HttpEndpoint(url=url, private=True))


async def test_a_port_that_does_not_answer_is_given_up_in_time() -> None:
    with deaf_port() as url:
        async with McpClient(Limits(connect_seconds=0.2)) as client:
            with pytest.raises(McpUnreachableError, match="in time"):
                await client.connect(HttpEndpoint(url=url, private=True))


async def test_a_name_that_does_not_exist_is_an_error(client: McpClient) -> None:
    with pytest.raises(McpUnreachableError, match="cannot be resolved"):
        await client.connect(HttpEndpoint(url="http://nothing.invalid/mcp"))


async def test_headers_that_cannot_be_written_are_an_error(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    endpoint = HttpEndpoint(
        url=f"{scripted.url}/mcp", private=True, headers={"x-key": "secret\r\nhost: other"}
    )
    with pytest.raises(McpUnreachableError, match="no request to the server can be") as raised:
        await client.connect(endpoint)
    assert "secret" not in repr(raised.value)


async def test_a_server_that_hangs_holds_up_nobody_else(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    """Two hundred calls hang, and one connection more is still to be had."""
    connection = await connected(client, scripted, event_stream(Fault.STALL))
    async with asyncio.TaskGroup() as group, ScriptedUpstream() as other:
        hanging = [group.create_task(connection.call_tool("a", {})) for _ in range(200)]
        while len(scripted.requests) < 201:
            await scripted.received()
        answer = json_answer({"id": 2, "result": {"tools": []}})
        assert await (await connected(client, other, answer)).list_tools() == ()
        for call in hanging:
            call.cancel()
