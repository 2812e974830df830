"""Errors as clients see them: status, body, and the headers that tell them whether to try again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.core.exchange import Envelope, Reply
from gateway.errors import (
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    StoreError,
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamUnreachableError,
)
from gateway.http.problems import problem

if TYPE_CHECKING:
    from .conftest import Client, ScriptedEngine


def failing(error: Exception) -> Callable[[Envelope], Awaitable[Reply]]:
    async def script(envelope: Envelope) -> Reply:
        raise error

    return script


async def test_an_error_has_openai_s_four_keys_in_any_case(
    client: Client, engine: ScriptedEngine
) -> None:
    engine.script = failing(InvalidRequestError("tools[0] is wrong", code="x", param="tools[0]"))
    answer = await client.request("POST", "/v1/responses", b"{}")
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.json == {
        "error": {
            "message": "tools[0] is wrong",
            "type": "invalid_request_error",
            "param": "tools[0]",
            "code": "x",
        }
    }


@pytest.mark.parametrize(
    ("error", "status", "should_retry"),
    [
        (InvalidRequestError("x"), 400, None),
        (NotFoundError("x"), 404, None),
        (RateLimitError("x"), 429, None),
        (StoreError("x"), 503, None),
        (GatewayError("x"), 500, "false"),
        (UpstreamError("x"), 502, "false"),
        (UpstreamRejectedError("x"), 400, None),
        (UpstreamAuthenticationError("x"), 502, "false"),
        (UpstreamProtocolError("x"), 502, "false"),
        (UpstreamRateLimitError("x"), 429, None),
        (UpstreamRateLimitError("x", code="insufficient_quota"), 429, "false"),
        (UpstreamUnavailableError("x"), 503, None),
        (UpstreamUnreachableError("x"), 502, None),
        (UpstreamTimeoutError("x"), 504, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_clients_are_told_not_to_repeat_what_cannot_help(
    error: GatewayError, status: int, should_retry: str | None
) -> None:
    answer = problem(error)
    assert answer.status == status
    assert answer.headers.get("x-should-retry") == should_retry


def test_a_wait_is_told_in_seconds_and_in_milliseconds() -> None:
    error = UpstreamRateLimitError("x")
    error.retry_after = 1.25
    assert problem(error).headers == {"retry-after": "2", "retry-after-ms": "1250"}


@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms"])
def test_the_upstream_s_own_words_on_a_wait_are_kept(name: str) -> None:
    error = UpstreamRateLimitError("x")
    error.retry_after = 1.25
    error.headers = {name: "as it said", "x-should-retry": "true"}
    assert problem(error).headers == {name: "as it said", "x-should-retry": "true"}


async def test_a_native_upstream_s_error_body_passes_unchanged(
    client: Client, engine: ScriptedEngine
) -> None:
    error = UpstreamRejectedError("what we made of it")
    error.status, error.body = 422, b'{"error": {"message":"as it came","extra":1}}'
    error.headers = {"x-request-id": "req_upstream"}
    engine.script = failing(error)
    answer = await client.request("POST", "/v1/responses", b"{}")
    assert (answer.status, answer.body) == (422, error.body)
    assert answer.headers["x-request-id"] == "req_upstream"
    assert answer.headers["x-gateway-request-id"] == "req_minted"


@pytest.mark.parametrize("error", [RuntimeError("a secret"), ValueError()])
async def test_a_bug_is_a_500_without_details_and_goes_on_to_the_server(
    client: Client, engine: ScriptedEngine, error: Exception
) -> None:
    engine.script = failing(error)
    exchange = client.connect("POST", "/v1/responses", b"{}")
    with pytest.raises(ExceptionGroup) as raised:
        await exchange.run()
    assert raised.group_contains(type(error))
    assert raised.value.__notes__ == ["while answering request req_minted"]
    answer = exchange.answer
    assert (answer.status, answer.error["code"], answer.ended) == (500, "internal_error", True)
    assert answer.headers["x-should-retry"] == "false"
    assert b"secret" not in answer.body


@pytest.mark.parametrize("error", [RuntimeError("a bug"), UpstreamError("too late")])
async def test_after_the_answer_has_begun_an_error_cuts_it(
    client: Client, engine: ScriptedEngine, error: Exception
) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        raise error

    closable = engine.stream(blocks())
    exchange = client.connect("POST", "/v1/responses", b"{}")
    with pytest.raises(ExceptionGroup) as raised:
        await exchange.run()
    assert raised.group_contains(type(error))
    answer = exchange.answer
    assert (answer.status, answer.pieces, answer.ended) == (200, [b"data: 1\n\n"], False)
    assert closable.closed.is_set()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("trace-1.2:3_4/5", True),
        ("", False),
        ("two words", False),
        ("x" * 129, False),
        ("new\nline", False),
        ("caf\xe9", False),
    ],
)
async def test_a_sane_request_id_is_kept(
    client: Client, engine: ScriptedEngine, sent: str, *, kept: bool
) -> None:
    answer = await client.request("POST", "/v1/responses", b"{}", {"x-request-id": sent})
    expected = sent if kept else "req_minted"
    assert answer.headers["x-request-id"] == expected
    assert engine.asked[0].request_id == expected


@pytest.mark.parametrize("path", ["/v1/nothing", "/health/live", "/v1/models"])
async def test_every_answer_has_a_request_id(guarded: Client, path: str) -> None:
    answer: Any = await guarded.request("GET", path)
    assert answer.headers["x-request-id"] == "req_minted"
