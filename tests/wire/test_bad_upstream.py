"""Whatever is wrong with an upstream has one answer, in OpenAI's shape, and no key in it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from gateway.testing import (
    Fault,
    Script,
    ScriptedUpstream,
    event_stream,
    json_answer,
    page,
    redirect,
)

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess

    from .conftest import Invented, Refuses

pytestmark = pytest.mark.asyncio(loop_scope="session")

Expected = tuple[int, str, str | None, str | None]
"""Status, type, code and param."""

INVALID, SERVER = "invalid_request_error", "server_error"
HELLO: dict[str, Any] = {"model": "fast", "input": "hello"}
UNREACHABLE = (502, SERVER, "upstream_unreachable", None)
BROKEN = (502, SERVER, "upstream_protocol_error", None)
FAILED = (502, SERVER, "upstream_error", None)
BAD_CREDENTIAL = (502, SERVER, "upstream_authentication_error", None)
OVERLOADED = (503, SERVER, "overloaded", None)
LATE = (504, SERVER, "upstream_timeout", None)
LIMITED = (429, "rate_limit_error", "rate_limit_exceeded", None)
KEY = "sk-invented-upstream-key"


def refusal(status: int, **error: Any) -> Script:
    return json_answer({"error": error}, status=status)


UPSTREAMS: dict[str, tuple[Script, Expected]] = {
    "a page": (page("<h1>Welcome to nginx</h1>"), BROKEN),
    "a page of an error": (page("<h1>502 Bad Gateway</h1>", status=502), FAILED),
    "a redirect": (redirect("http://127.0.0.1:1/"), BROKEN),
    "not HTTP": (Script(before=(b"SSH-2.0-OpenSSH_9.2\r\n", Fault.CUT)), BROKEN),
    "closed without an answer": (Script(before=(Fault.CUT,)), UNREACHABLE),
    "reset without an answer": (Script(before=(Fault.RESET,)), UNREACHABLE),
    "401": (refusal(401, message=f"Incorrect API key provided: {KEY}"), BAD_CREDENTIAL),
    "403": (refusal(403, message=f"{KEY} may not use this model"), BAD_CREDENTIAL),
    "402": (
        refusal(402, message="Insufficient credits"),
        (429, "insufficient_quota", "insufficient_quota", None),
    ),
    "429 without a shape": (Script(status=429, body=(b"slow down",)), LIMITED),
    "500 without a shape": (Script(status=500, body=(b"oops",)), FAILED),
    "503 without a shape": (Script(status=503), OVERLOADED),
    "529 without a shape": (Script(status=529), OVERLOADED),
    "504 without a shape": (Script(status=504), LATE),
}
NATIVE: dict[str, tuple[Script, Expected]] = {
    "429 in OpenAI's shape": (
        refusal(429, message="slow", type="requests", param=None, code="rate_limit_exceeded"),
        (429, "requests", "rate_limit_exceeded", None),
    ),
    "500 in OpenAI's shape": (
        refusal(500, message="oops", type=SERVER, param=None, code=None),
        (500, SERVER, None, None),
    ),
    "400 in OpenAI's shape": (
        refusal(400, message="no", type=INVALID, param="input[3]", code="invalid_value"),
        (400, INVALID, "invalid_value", "input[3]"),
    ),
    "JSON cut": (
        Script(headers={"content-type": "application/json"}, body=(b'{"id": "resp_1",',)),
        BROKEN,
    ),
    "JSON cut on the wire": (
        Script(
            headers={"content-type": "application/json"},
            body=(b'{"id": ', Fault.CUT),
            framing="chunked",
        ),
        BROKEN,
    ),
    "a list": (json_answer([]), BROKEN),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["dead", "nowhere"])
async def test_an_upstream_that_is_not_there_is_unreachable(
    refuses: Refuses, model: str, *, stream: bool
) -> None:
    await refuses(UNREACHABLE, json={**HELLO, "model": model, "stream": stream})


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["fast", "chatty"])
@pytest.mark.parametrize("fault", UPSTREAMS)
async def test_a_bad_upstream_has_one_answer(
    refuses: Refuses, upstream: ScriptedUpstream, fault: str, model: str, *, stream: bool
) -> None:
    script, expected = UPSTREAMS[fault]
    upstream.add(script)
    await refuses(expected, json={**HELLO, "model": model, "stream": stream})
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", NATIVE)
async def test_a_bad_native_upstream_has_one_answer(
    refuses: Refuses, upstream: ScriptedUpstream, fault: str, *, stream: bool
) -> None:
    script, expected = NATIVE[fault]
    upstream.add(script)
    await refuses(expected, json={**HELLO, "stream": stream})


@pytest.mark.parametrize("fault", ["401", "403", "402"])
async def test_what_only_the_operator_can_mend_is_not_worth_a_retry(
    refuses: Refuses, upstream: ScriptedUpstream, fault: str
) -> None:
    script, expected = UPSTREAMS[fault]
    upstream.add(script)
    answer = await refuses(expected, json=HELLO)
    assert answer.headers["x-should-retry"] == "false"


CHAT_FRAMES = [
    b'data: {"choices":[{"index":0,"delta":{"content":"Luna "}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"slept."}}]}\n\n',
]


async def told(
    http: httpx2.AsyncClient, model: str, gate: asyncio.Event | None = None
) -> list[dict[str, Any]]:
    """Return the events of a stream; the first delta of text opens `gate`."""
    events: list[dict[str, Any]] = []
    body = {**HELLO, "model": model, "stream": True}
    async with http.stream("POST", "/responses", json=body) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                events.append(json.loads(line.removeprefix("data: ")))
            if gate and line == "event: response.output_text.delta":
                gate.set()
    assert (await http.get("/health/live")).status_code == 200
    return events


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
@pytest.mark.parametrize("model", ["fast", "chatty"])
async def test_a_stream_cut_in_mid_frame_ends_with_an_error_and_a_failed_response(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    model: str,
    fault: Fault,
) -> None:
    frames = CHAT_FRAMES if model == "chatty" else invented.frames()[:6]
    gate = asyncio.Event()
    upstream.add(event_stream(*frames[:-1], gate, frames[-1][:20], fault))
    events = await told(http, model, gate)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    error, failed = events[-2:]
    assert error["type"] == "error"
    assert error["code"] == error["error"]["code"] == "upstream_protocol_error"
    assert error["message"] == error["error"]["message"]
    assert error["error"]["type"] == SERVER
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"]["code"] == "server_error"
    assert failed["response"]["id"] == events[0]["response"]["id"]


@pytest.mark.parametrize("model", ["fast", "chatty"])
async def test_a_stream_that_ends_too_early_fails(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented, model: str
) -> None:
    frames = CHAT_FRAMES if model == "chatty" else invented.frames()[:6]
    upstream.add(event_stream(*frames))
    events = await told(http, model)
    assert [event["type"] for event in events][-2:] == ["error", "response.failed"]


@pytest.mark.parametrize("frame", [b"data: {not json\n\n", b"data: \xff\n\n", b"data: []\n\n"])
async def test_a_frame_that_cannot_be_read_fails_the_response(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, frame: bytes
) -> None:
    gate = asyncio.Event()
    upstream.add(event_stream(CHAT_FRAMES[0], gate, frame, CHAT_FRAMES[1]))
    error, failed = (await told(http, "chatty", gate))[-2:]
    assert (error["type"], error["code"]) == ("error", "upstream_protocol_error")
    assert failed["response"]["output"][0]["content"][0]["text"] == "Luna "


async def test_after_all_of_this_the_same_process_serves(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    proxy: GatewayProcess,
) -> None:
    upstream.add(json_answer(invented.response()))
    assert (await http.post("/responses", json=HELLO)).status_code == 200
    assert proxy.alive
    assert "Traceback" not in proxy.log
