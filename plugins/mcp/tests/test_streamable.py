"""Streamable HTTP as a server sees it: both eras, sessions, broken streams, cancelled calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import pytest
from msgspec import json

from gateway.testing.connection import Received
from gateway.testing.script import Fault, Script, Step, event_stream, json_answer, page
from gateway.testing.upstream import ScriptedUpstream
from gateway_mcp.client import McpClient
from gateway_mcp.connection import (
    CallResult,
    HttpEndpoint,
    Limits,
    ListedTool,
    McpHttpError,
    McpProtocolError,
    McpUnreachableError,
)

Handle = Callable[[Received], Script]
TEXT = {"content": [{"type": "text", "text": "done"}]}
DONE = CallResult(content=({"type": "text", "text": "done"},))


def result(received: Received, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": received.json()["id"], "result": value}


def error(received: Received, code: int, message: str) -> dict[str, Any]:
    failure = {"code": code, "message": message}
    return {"jsonrpc": "2.0", "id": received.json()["id"], "error": failure}


def frame(value: Any, **fields: str) -> bytes:
    lines = [f"{name}: {text}\n" for name, text in fields.items()]
    return "".join(lines).encode() + b"data: " + json.encode(value) + b"\n\n"


def accept(_: Received) -> Script:
    return Script(status=202)


def refuse(received: Received) -> Script:
    return json_answer(error(received, -32000, "not initialized"), status=400)


def introduce(*sessions: str) -> Handle:
    """Answer each handshake with the next of `sessions`, and all others with the last."""
    left = chain(sessions, repeat(sessions[-1]))

    def handle(received: Received) -> Script:
        introduced = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}}
        return json_answer(result(received, introduced), headers={"Mcp-Session-Id": next(left)})

    return handle


def modern(**answers: Handle | Any) -> Handle:
    """A server without sessions; `answers` are by the last word of the method."""
    return _server({"discover": {"supportedVersions": ["2026-07-28"]}, **answers})


def handshake(**answers: Handle | Any) -> Handle:
    """A server of the era of handshakes, with a session if `initialize` gives one."""
    return _server(
        {
            "discover": refuse,
            "initialize": introduce("session-1"),
            "initialized": accept,
            "cancelled": accept,
            "DELETE": accept,
            "reply": accept,
            **answers,
        }
    )


def _server(answers: dict[str, Any]) -> Handle:
    def handle(received: Received) -> Script:
        answer = answers[said(received)]
        if isinstance(answer, dict):
            return json_answer(result(received, answer))
        return answer(received)

    return handle


def said(received: Received) -> str:
    """Name a request by the last word of its method."""
    if received.method != "POST":
        return received.method
    return received.json().get("method", "reply").rpartition("/")[2]


def endpoint(server: ScriptedUpstream, **headers: str) -> HttpEndpoint:
    return HttpEndpoint(url=f"{server.url}/mcp?key=in-the-query", private=True, headers=headers)


async def test_a_server_without_sessions_is_told_with_each_request_who_asks(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", modern(list={"tools": [], "ttlMs": 1500}, call=TEXT))
    connection = await client.connect(endpoint(scripted, Authorization="Bearer t"))
    assert await connection.list_tools() == ()
    assert connection.ttl == 1.5
    assert await connection.call_tool("größe", {"a": 1}) == DONE
    await connection.aclose()
    assert [said(request) for request in scripted.requests] == ["discover", "list", "call"]
    for request in scripted.requests:
        meta = request.json()["params"]["_meta"]
        assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        assert meta["io.modelcontextprotocol/clientCapabilities"] == {}
        assert meta["io.modelcontextprotocol/clientInfo"]["name"] == "responses-gateway"
        assert request.headers["mcp-protocol-version"] == "2026-07-28"
        assert request.headers["mcp-method"] == request.json()["method"]
        assert request.headers["authorization"] == "Bearer t"
        assert "mcp-session-id" not in request.headers
    assert scripted.requests[2].headers["mcp-name"] == "=?base64?Z3LDtsOfZQ==?="


async def test_a_server_with_sessions_gets_a_handshake_and_a_goodbye(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", handshake(list={"tools": []}))
    connection = await client.connect(endpoint(scripted))
    await connection.list_tools()
    await connection.aclose()
    assert not connection.alive
    words = [said(request) for request in scripted.requests]
    assert words == ["discover", "initialize", "initialized", "list", "DELETE"]
    assert scripted.requests[1].json()["params"]["protocolVersion"] == "2025-11-25"
    assert "mcp-session-id" not in scripted.requests[1].headers
    assert "mcp-protocol-version" not in scripted.requests[1].headers
    for request in scripted.requests[2:]:
        assert request.headers["mcp-session-id"] == "session-1"
        assert request.headers["mcp-protocol-version"] == "2025-06-18"


@pytest.mark.parametrize(
    "answer",
    [
        Script(status=404),
        Script(status=500),
        page("<h1>method not allowed</h1>", status=405),
        page("<h1>hello</h1>"),
        json_answer({}),
        json_answer({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}}),
        event_stream(b": nothing follows\n\n", frame({"id": 1, "result": {"what": 1}})),
    ],
)
async def test_whatever_an_older_server_says_to_the_first_question_it_gets_its_handshake(
    answer: Script, client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", handshake(discover=lambda _: answer))
    connection = await client.connect(endpoint(scripted))
    assert connection.alive


async def test_a_server_that_names_older_revisions_only_gets_its_handshake(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", handshake(discover={"supportedVersions": ["2025-11-25"]}))
    await client.connect(endpoint(scripted))
    assert said(scripted.requests[1]) == "initialize"


async def test_a_server_that_knows_no_handshake_is_asked_again_what_it_knows(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    """A slow start can make the first question come to nothing."""
    first = iter([Script(status=503), None])

    def discover(received: Received) -> Script:
        found = {"supportedVersions": ["2026-07-28"]}
        return next(first) or json_answer(result(received, found))

    def initialize(received: Received) -> Script:
        return json_answer(error(received, -32022, "no"), status=400)

    answers = {"discover": discover, "initialize": initialize, "list": {"tools": []}}
    scripted.handle("/mcp", modern(**answers))
    connection = await client.connect(endpoint(scripted))
    await connection.list_tools()
    assert scripted.requests[-1].headers["mcp-protocol-version"] == "2026-07-28"


async def test_a_revision_that_nobody_knows_is_refused(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", handshake(initialize={"protocolVersion": "1999-12-31"}))
    with pytest.raises(McpProtocolError, match="a revision of MCP that is not known here"):
        await client.connect(endpoint(scripted))


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_wants_other_credentials_is_asked_once(
    status: int, client: McpClient, scripted: ScriptedUpstream
) -> None:
    complaint = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "Bearer t0ken-of-us"}}
    scripted.add(json_answer(complaint, status=status))
    with pytest.raises(McpHttpError) as raised:
        await client.connect(endpoint(scripted, authorization="Bearer t0ken-of-us"))
    assert raised.value.status == status
    assert raised.value.message == f"the server answered with HTTP status {status}"
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "forgotten",
    [
        Script(status=404),
        json_answer({"id": None, "error": {"code": -32001, "message": "gone"}}, status=404),
        json_answer({"id": None, "error": {"code": -32000, "message": "gone"}}, status=400),
    ],
)
async def test_a_session_that_the_server_has_forgotten_begins_anew_once(
    forgotten: Script, client: McpClient, scripted: ScriptedUpstream
) -> None:
    def call(received: Received) -> Script:
        old = received.headers["mcp-session-id"] == "session-1"
        return forgotten if old else json_answer(result(received, TEXT))

    again = introduce("session-1", "session-2", "session-3")
    scripted.handle("/mcp", handshake(initialize=again, call=call))
    connection = await client.connect(endpoint(scripted))
    calls = (connection.call_tool("a", {}) for _ in range(5))
    assert await asyncio.gather(*calls) == [DONE] * 5
    assert [said(request) for request in scripted.requests].count("initialize") == 2


async def test_who_comes_while_a_session_begins_anew_waits_for_it(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    handshakes = introduce("session-1", "session-2")

    def initialize(received: Received) -> Script:
        script = handshakes(received)
        if script.headers["Mcp-Session-Id"] == "session-1":
            return script
        begun.set()
        return Script(headers=script.headers, body=(gate, *script.body), framing="chunked")

    def call(received: Received) -> Script:
        if received.headers.get("mcp-session-id") == "session-2":
            return json_answer(result(received, TEXT))
        return Script(status=404 if "mcp-session-id" in received.headers else 400)

    scripted.handle("/mcp", handshake(initialize=initialize, call=call))
    connection = await client.connect(endpoint(scripted))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(connection.call_tool("a", {}))
        await begun.wait()
        second = group.create_task(connection.call_tool("a", {}))
        while [said(request) for request in scripted.requests].count("call") < 2:
            await scripted.received()
        gate.set()
    assert (first.result(), second.result()) == (DONE, DONE)


async def test_a_call_whose_stream_is_lost_with_the_session_is_not_made_twice(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    begin = event_stream(b"id: 1\nretry: 1\ndata:\n\n")
    gone = handshake(call=lambda _: begin, GET=lambda _: Script(status=404))
    scripted.handle("/mcp", gone)
    connection = await client.connect(endpoint(scripted))
    with pytest.raises(McpHttpError, match="404"):
        await connection.call_tool("a", {})
    assert [said(request) for request in scripted.requests].count("call") == 1


async def test_what_follows_an_answer_does_not_spoil_it(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    def call(received: Received) -> Script:
        return event_stream(frame(result(received, TEXT)), *[b": x\n" * 250_000] * 10)

    scripted.handle("/mcp", modern(call=call))
    connection = await client.connect(endpoint(scripted))
    assert await connection.call_tool("a", {}) == DONE


async def test_a_session_that_is_forgotten_again_and_again_is_an_error(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", handshake(call=lambda _: Script(status=404)))
    connection = await client.connect(endpoint(scripted))
    with pytest.raises(McpHttpError, match="ended the session"):
        await connection.call_tool("a", {})


async def test_an_answer_may_be_the_end_of_a_stream(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    def call(received: Received) -> Script:
        progress = {"method": "notifications/progress", "params": {"progress": 1}}
        ping = {"jsonrpc": "2.0", "id": "p", "method": "ping"}
        sample = {"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": {}}
        foreign = {"jsonrpc": "2.0", "id": 999, "result": {"content": []}}
        messages = (progress, ping, sample, foreign, result(received, TEXT))
        return event_stream(*(frame(message, event="message") for message in messages))

    scripted.handle("/mcp", handshake(call=call))
    connection = await client.connect(endpoint(scripted))
    assert await connection.call_tool("a", {}) == DONE
    replies = [request.json() for request in scripted.requests if said(request) == "reply"]
    assert replies[0] == {"jsonrpc": "2.0", "id": "p", "result": {}}
    assert (replies[1]["id"], replies[1]["error"]["code"]) == (7, -32601)


async def test_a_stream_that_stays_open_after_the_answer_holds_nobody_up(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle(
        "/mcp",
        modern(call=lambda received: event_stream(frame(result(received, TEXT)), Fault.STALL)),
    )
    connection = await client.connect(endpoint(scripted))
    assert await connection.call_tool("a", {}) == DONE
    await scripted.disconnected()


@pytest.mark.parametrize("end", [(), (Fault.CUT,), (Fault.RESET,)])
async def test_a_stream_that_ends_early_is_taken_up_where_it_ended(
    end: tuple[Step, ...], client: McpClient, scripted: ScriptedUpstream
) -> None:
    asked: list[Received] = []

    def call(received: Received) -> Script:
        asked.append(received)
        return event_stream(b"id: 1\nretry: 10\ndata:\n\n", 0.05, *end)

    def resume(received: Received) -> Script:
        if received.headers["last-event-id"] == "1":
            return event_stream(b"id: 2\ndata:\n\n")
        return event_stream(frame(result(asked[0], TEXT), id="3"))

    scripted.handle("/mcp", handshake(call=call, GET=resume))
    connection = await client.connect(endpoint(scripted))
    assert await connection.call_tool("a", {}) == DONE
    resumed = [request for request in scripted.requests if request.method == "GET"]
    assert [request.headers["last-event-id"] for request in resumed] == ["1", "2"]
    assert resumed[0].headers["mcp-session-id"] == "session-1"


async def test_a_stream_may_be_taken_up_as_often_as_it_gets_further(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    def resume(received: Received) -> Script:
        place = int(received.headers["last-event-id"])
        if place == 8:
            return event_stream(frame({"id": 3, "result": TEXT}))
        return event_stream(b"id: %d\ndata:\n\n" % (place + 1))

    begin = event_stream(b"id: 1\nretry: 1\ndata:\n\n")
    scripted.handle("/mcp", handshake(call=lambda _: begin, GET=resume))
    connection = await client.connect(endpoint(scripted))
    assert await connection.call_tool("a", {}) == DONE


async def test_a_stream_that_gets_no_further_is_given_up(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    begin = event_stream(b"id: 1\nretry: 1\ndata:\n\n")
    scripted.handle("/mcp", handshake(call=lambda _: begin, GET=lambda _: event_stream()))
    connection = await client.connect(endpoint(scripted))
    with pytest.raises(McpUnreachableError, match="ended the stream before it had answered"):
        await connection.call_tool("a", {})
    assert [request.method for request in scripted.requests].count("GET") == 3


@pytest.mark.parametrize("era", [modern, handshake])
async def test_a_stream_without_an_answer_is_an_error(
    era: Callable[..., Handle], client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", era(call=lambda _: event_stream(b": nothing\n\n")))
    connection = await client.connect(endpoint(scripted))
    with pytest.raises(McpUnreachableError, match="ended the stream before it had answered"):
        await connection.call_tool("a", {})


async def test_a_call_that_is_cancelled_is_called_off_at_the_server(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", handshake(call=lambda _: event_stream(Fault.STALL)))
    connection = await client.connect(endpoint(scripted))
    async with asyncio.TaskGroup() as group:
        call = group.create_task(connection.call_tool("a", {}))
        while said(asked := await scripted.received()) != "call":
            pass
        call.cancel()
        while said(told := await scripted.received()) != "cancelled":
            pass
    assert told.json()["params"] == {"requestId": asked.json()["id"]}
    assert told.headers["mcp-session-id"] == "session-1"


async def test_without_sessions_closing_the_stream_is_enough(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", modern(call=lambda _: event_stream(Fault.STALL)))
    connection = await client.connect(endpoint(scripted))
    async with asyncio.TaskGroup() as group:
        call = group.create_task(connection.call_tool("a", {}))
        while said(await scripted.received()) != "call":
            pass
        call.cancel()
        assert said(await scripted.disconnected()) == "call"
    assert "cancelled" not in [said(request) for request in scripted.requests]


async def test_all_pages_of_a_listing_are_read(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    tool = {"name": "a", "description": "A.", "inputSchema": {"type": "object"}, "new": 1}
    hint = {"annotations": {"readOnlyHint": True, "title": "B"}}

    def pages(received: Received) -> Script:
        if received.json()["params"].get("cursor") == "next":
            last = {"tools": [{"name": "b", **hint}], "ttlMs": 1000, "nextCursor": ""}
            return json_answer(result(received, last))
        first = {"tools": [tool], "nextCursor": "next", "ttlMs": 9000}
        return json_answer(result(received, first))

    scripted.handle("/mcp", modern(list=pages))
    connection = await client.connect(endpoint(scripted))
    assert await connection.list_tools() == (
        ListedTool(name="a", description="A.", input_schema={"type": "object"}),
        ListedTool(name="b", read_only=True),
    )
    assert connection.ttl == 1.0


async def test_a_server_that_does_not_answer_what_it_does_not_know_gets_its_handshake(
    scripted: ScriptedUpstream,
) -> None:
    scripted.handle("/mcp", handshake(discover=lambda _: event_stream(Fault.STALL)))
    async with McpClient(Limits(probe_seconds=0.05)) as client:
        assert (await client.connect(endpoint(scripted))).alive


async def test_a_listing_is_bounded_over_all_its_pages(scripted: ScriptedUpstream) -> None:
    endless = {"tools": [{"name": "a", "description": "x" * 1000}], "nextCursor": "more"}
    scripted.handle("/mcp", modern(list=endless))
    async with McpClient(Limits(answer_bytes=5000)) as client:
        connection = await client.connect(endpoint(scripted))
        with pytest.raises(McpProtocolError, match="5000 bytes"):
            await connection.list_tools()
    assert len(scripted.requests) <= 6


@pytest.mark.parametrize("size", [1, 30])
async def test_a_listing_has_an_end_even_if_the_server_knows_none(
    size: int, scripted: ScriptedUpstream
) -> None:
    endless = {"tools": [{"name": f"t{number}"} for number in range(size)], "nextCursor": "more"}
    scripted.handle("/mcp", modern(list=endless))
    async with McpClient(Limits(tools=50, pages=10)) as client:
        connection = await client.connect(endpoint(scripted))
        with pytest.raises(McpProtocolError, match="more than 50 tools, 4194304 bytes or 10 pages"):
            await connection.list_tools()
    assert len(scripted.requests) <= 11


async def test_a_failure_of_the_tool_is_a_result(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    scripted.handle("/mcp", modern(call={**TEXT, "isError": True, "structuredContent": {"a": 1}}))
    connection = await client.connect(endpoint(scripted))
    called = await connection.call_tool("a", {})
    assert called == CallResult(content=DONE.content, structured={"a": 1}, is_error=True)


async def test_an_error_of_the_server_keeps_its_code_and_tells_no_secret(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    def call(received: Received) -> Script:
        text = f"no such tool for {received.headers['authorization']} at {received.query}"
        return json_answer(error(received, -32602, text), status=400)

    scripted.handle("/mcp", modern(call=call))
    connection = await client.connect(endpoint(scripted, authorization="Bearer t0ken-of-us"))
    with pytest.raises(McpProtocolError) as raised:
        await connection.call_tool("a", {})
    assert (raised.value.code, raised.value.message) == (-32602, "no such tool for *** at key=***")


async def test_a_tool_that_asks_the_user_for_something_fails_with_words(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    asks = {
        "resultType": "input_required",
        "inputRequests": {"1": {"method": "elicitation/create"}},
    }
    scripted.handle("/mcp", modern(call=asks))
    connection = await client.connect(endpoint(scripted))
    with pytest.raises(McpProtocolError, match="asks the user for something"):
        await connection.call_tool("a", {})


async def test_arguments_go_into_headers_where_the_server_wants_them(
    client: McpClient, scripted: ScriptedUpstream
) -> None:
    """A client that knows the tools from elsewhere learns it from the error."""
    marked = {"type": "string", "x-mcp-header": "Region"}
    wrong = {"name": "wrong", "inputSchema": {"items": marked}}
    tool = {"name": "a", "inputSchema": {"type": "object", "properties": {"r": marked}}}

    def call(received: Received) -> Script:
        if "mcp-param-region" in received.headers:
            return json_answer(result(received, TEXT))
        return json_answer(error(received, -32020, "header mismatch"), status=400)

    scripted.handle("/mcp", modern(call=call, list={"tools": [tool, wrong]}))
    connection = await client.connect(endpoint(scripted))
    assert await connection.call_tool("a", {"r": "eu"}) == DONE
    words = [said(request) for request in scripted.requests]
    assert words == ["discover", "call", "list", "call"]
    assert scripted.requests[-1].headers["mcp-param-region"] == "eu"
    assert [listed.name for listed in await connection.list_tools()] == ["a"]
    with pytest.raises(McpProtocolError, match="header mismatch"):
        await connection.call_tool("a", {})


def test_printing_an_endpoint_shows_no_credential() -> None:
    shown = repr(HttpEndpoint(url="https://x.example/?key=1", headers={"authorization": "secret"}))
    assert shown == "HttpEndpoint(http, 1 headers)"
