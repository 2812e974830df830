"""HTTP with server-sent events, the transport of 2024-11-05, as a server sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec import json

from gateway.testing.connection import Received
from gateway.testing.script import Fault, Script, Step, event_stream, json_answer
from gateway.testing.upstream import ScriptedUpstream
from gateway_mcp.client import McpClient
from gateway_mcp.connection import (
    CallResult,
    HttpEndpoint,
    Limits,
    McpError,
    McpHttpError,
    McpUnreachableError,
)

ENDPOINT = b"event: endpoint\ndata: /messages?session=1\n\n"
TEXT = {"content": [{"type": "text", "text": "done"}]}
INTRODUCED = {"protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": {}}


class OldServer:
    """Says what it has to say on one stream, each answer once its request has come."""

    def __init__(self, server: ScriptedUpstream, *answers: Any, end: Step = Fault.STALL) -> None:
        self.posted: list[Any] = []
        self.headers: list[dict[str, str]] = []
        steps: list[Step] = [ENDPOINT]
        self._gates: dict[int, asyncio.Event] = {}
        for number, answer in enumerate(answers, 1):
            self._gates[number] = asyncio.Event()
            message = answer if isinstance(answer, list) else {"id": number, **answer}
            steps += [self._gates[number], b"data: " + json.encode(message) + b"\n\n"]
        server.handle("/sse", lambda _: event_stream(*steps, end))
        server.handle("/messages", self._accept)

    def _accept(self, received: Received) -> Script:
        message = received.json()
        self.posted.append(message)
        self.headers.append(dict(received.headers))
        if gate := self._gates.get(message.get("id", 0)):
            gate.set()
        return Script(status=202, body=(b"Accepted",))


def endpoint(server: ScriptedUpstream, **headers: str) -> HttpEndpoint:
    return HttpEndpoint(url=f"{server.url}/sse", transport="sse", private=True, headers=headers)


async def test_requests_are_posted_and_answered_on_the_stream(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    server = OldServer(
        scripted, {"result": INTRODUCED}, {"result": {"tools": []}}, {"result": TEXT}
    )
    connection = await client.connect(endpoint(scripted, authorization="Bearer t"))
    assert await connection.list_tools() == ()
    assert await connection.call_tool("a", {}) == CallResult(content=tuple(TEXT["content"]))
    await connection.aclose()
    assert not connection.alive
    assert [message["method"] for message in server.posted] == [
        "initialize",
        "notifications/initialized",
        "tools/list",
        "tools/call",
    ]
    assert {headers["authorization"] for headers in server.headers} == {"Bearer t"}
    assert scripted.requests[1].query == "session=1"


async def test_a_server_that_takes_no_post_at_its_address_is_an_older_one(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    OldServer(scripted, {"result": INTRODUCED}, {"result": {"tools": []}})
    [stream] = [scripted._handlers["/sse"]]
    scripted.handle(
        "/sse", lambda asked: stream(asked) if asked.method == "GET" else Script(status=405)
    )
    connection = await client.connect(HttpEndpoint(url=f"{scripted.url}/sse", private=True))
    assert await connection.list_tools() == ()


async def test_a_server_of_neither_kind_is_told_by_what_it_said_first(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", lambda asked: Script(status=404 if asked.method == "POST" else 500))
    with pytest.raises(McpHttpError, match="status 404"):
        await client.connect(HttpEndpoint(url=f"{scripted.url}/mcp", private=True))


async def test_a_connection_may_bring_any_number_of_answers(scripted: ScriptedUpstream) -> None:
    """The limit is for what comes between two of them."""
    large = {"result": {"content": [{"type": "text", "text": "x" * 300_000}]}}
    OldServer(scripted, {"result": INTRODUCED}, *[large] * 10)
    async with McpClient(Limits(answer_bytes=400_000)) as client:
        connection = await client.connect(endpoint(scripted))
        for _ in range(4):
            await connection.call_tool("a", {})
        calls = (connection.call_tool("a", {}) for _ in range(6))
        assert len(await asyncio.gather(*calls)) == 6


async def test_what_a_server_said_while_nobody_asked_does_not_count(
    scripted: ScriptedUpstream,
) -> None:
    noise = {"method": "notifications/message", "params": {"data": "x" * 300_000}}
    ping = {"id": "p", "method": "ping"}
    large = {"result": {"content": [{"type": "text", "text": "x" * 300_000}]}}
    server = OldServer(scripted, {"result": INTRODUCED}, [noise, ping], large)
    async with McpClient(Limits(answer_bytes=400_000)) as client:
        connection = await client.connect(endpoint(scripted))
        async with asyncio.TaskGroup() as group:
            unanswered = group.create_task(connection.call_tool("a", {}))
            while not server.posted or server.posted[-1].get("id") != "p":
                await scripted.received()
            unanswered.cancel()
            await connection.call_tool("a", {})


@pytest.mark.parametrize(
    "target", [b"http://127.0.0.1:9/messages", b"//other.example/", b"http://[::1", b"https:///"]
)
async def test_requests_are_posted_to_the_same_origin_only(
    target: bytes, client: McpClient, scripted: ScriptedUpstream
) -> None:
    answer = event_stream(b"event: endpoint\ndata: " + target + b"\n\n", Fault.STALL)
    scripted.handle("/sse", lambda _: answer)
    with pytest.raises(McpUnreachableError, match="name the one that it leads to"):
        await client.connect(endpoint(scripted))


@pytest.mark.parametrize(
    "answer",
    [
        Script(status=401),
        json_answer({}),
        event_stream(b": nothing\n\n"),
        event_stream(Fault.STALL),
        event_stream(ENDPOINT, Fault.CUT),
        event_stream(ENDPOINT, b"data: {\n\n"),
    ],
)
async def test_a_stream_that_goes_wrong_is_an_error_soon(
    answer: Script, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/sse", lambda _: answer)
    scripted.handle("/messages", lambda _: Script(status=202))
    async with McpClient(Limits(connect_seconds=0.3)) as client:
        async with asyncio.timeout(5):
            with pytest.raises(McpError):
                await client.connect(endpoint(scripted))


@pytest.mark.parametrize(
    "flood",
    [
        event_stream(b"data: ", *[b"x" * 100_000] * 100),
        event_stream(*[b": x\n\n" * 10_000] * 100),
        event_stream(ENDPOINT, *[b"data: {}\n\n" * 10_000] * 100),
    ],
    ids=["one event", "comments", "events"],
)
async def test_a_flood_is_cut_off_early(flood: Script, scripted: ScriptedUpstream) -> None:
    scripted.handle("/sse", lambda _: flood)
    scripted.handle("/messages", lambda _: Script(status=202))
    async with McpClient(Limits(answer_bytes=500_000)) as client:
        with pytest.raises(McpError, match=r"more than (the )?500000 bytes"):
            await client.connect(endpoint(scripted))


async def test_a_post_that_is_refused_is_an_error(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    OldServer(scripted, {"result": INTRODUCED})
    scripted.handle("/messages", lambda _: Script(status=500))
    with pytest.raises(McpHttpError, match="500"):
        await client.connect(endpoint(scripted))


async def test_when_the_stream_ends_all_who_wait_are_told_and_nobody_begins_anew(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    end = asyncio.Event()
    server = OldServer(scripted, {"result": INTRODUCED}, end=end)
    connection = await client.connect(endpoint(scripted))
    calls = [asyncio.ensure_future(connection.call_tool("a", {})) for _ in range(3)]
    while len(server.posted) < 5:
        await scripted.received()
    end.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [McpUnreachableError] * 3
    assert not connection.alive
    with pytest.raises(McpUnreachableError, match="ended the stream of its answers"):
        await connection.list_tools()


async def test_a_cancelled_call_is_called_off_and_others_go_on(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    nothing = [{"method": "notifications/message", "params": {}}]
    server = OldServer(scripted, {"result": INTRODUCED}, nothing, {"result": TEXT})
    connection = await client.connect(endpoint(scripted))
    async with asyncio.TaskGroup() as group:
        cancelled = group.create_task(connection.call_tool("slow", {}))
        while len(server.posted) < 3:
            await scripted.received()
        cancelled.cancel()
        assert (await connection.call_tool("a", {})).content
        while len(server.posted) < 5:
            await scripted.received()
    told = [message for message in server.posted if message.get("method", "").endswith("cancelled")]
    assert [message["params"] for message in told] == [{"requestId": 2}]


async def test_an_error_repeats_no_credential(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    failure = {"error": {"code": -32000, "message": "not with t0ken-of-us"}}
    OldServer(scripted, {"result": INTRODUCED}, failure)
    connection = await client.connect(endpoint(scripted, authorization="Bearer t0ken-of-us"))
    with pytest.raises(McpError) as raised:
        await connection.list_tools()
    assert raised.value.message == "not with ***"
