"""Reading upstream failures: any status and any body becomes one of our errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.plugin.dialect import Failure
from gateway.plugin.failures import read_failure, retry_after

CASES = Path(__file__).parents[2] / "../shared/corpus/cases"


def read(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> UpstreamError:
    return read_failure(Failure(status=status, headers=headers or {}, body=body), provider="acme")


def said(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message} | more}).encode()


def recordings() -> list[Any]:
    """Return the recorded error answers, or one skipped case."""
    metas = [json.loads(path.read_bytes()) | {"path": path} for path in CASES.glob("*/*/meta.json")]
    chosen = [
        pytest.param(meta["status"], meta["path"].with_name("response.body"), id=meta["id"])
        for meta in metas
        if meta["status"] >= 400
    ]
    skipped = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return sorted(chosen, key=lambda case: case.id) or [
        pytest.param(0, Path(), marks=skipped),
    ]


@pytest.mark.parametrize(
    ("status", "kind", "ours", "code"),
    [
        (302, UpstreamProtocolError, 502, "upstream_protocol_error"),
        (400, UpstreamRejectedError, 400, None),
        (401, UpstreamAuthenticationError, 502, "upstream_authentication_error"),
        (402, UpstreamRateLimitError, 429, "insufficient_quota"),
        (403, UpstreamAuthenticationError, 502, "upstream_authentication_error"),
        (404, UpstreamRejectedError, 404, None),
        (408, UpstreamTimeoutError, 504, "upstream_timeout"),
        (409, UpstreamRejectedError, 409, None),
        (413, UpstreamRejectedError, 413, "request_too_large"),
        (422, UpstreamRejectedError, 422, None),
        (424, UpstreamUnavailableError, 502, "upstream_error"),
        (429, UpstreamRateLimitError, 429, "rate_limit_exceeded"),
        (499, UpstreamUnavailableError, 503, "overloaded"),
        (500, UpstreamUnavailableError, 502, "upstream_error"),
        (503, UpstreamUnavailableError, 503, "overloaded"),
        (504, UpstreamTimeoutError, 504, "upstream_timeout"),
        (529, UpstreamUnavailableError, 503, "overloaded"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", said("no", type="x")])
def test_a_status_decides_which_error_it_is(
    status: int, body: bytes, kind: type[UpstreamError], ours: int, code: str | None
) -> None:
    error = read(status, body)
    assert type(error) is kind
    assert (error.status, error.code) == (ours, code)
    assert "acme" in error.message
    assert "html" not in error.message


@pytest.mark.parametrize(("status", "path"), recordings())
def test_recorded_errors_are_read(status: int, path: Path) -> None:
    error = read(status, path.read_bytes())
    assert "no readable error message" not in error.message
    assert isinstance(error, UpstreamAuthenticationError) == (status in {401, 403})


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (said("bad", code="c", param="p"), "acme: bad", "c"),
        (said("bad", code=400), "acme: bad", None),
        (said("bad", code="400"), "acme: bad", None),
        (b'{"detail":"bad"}', "acme: bad", None),
        (b'{"detail":[{"loc":["body",0],"msg":"bad"},7]}', "acme: body.0: bad", None),
        (b'{"object":"error","message":"bad","code":"c"}', "acme: bad", "c"),
        (b'{"code":"The reason in words","error":"bad"}', "acme: bad", None),
        (b'[{"error":{"code":400,"message":"bad"}}]', "acme: bad", None),
        (b'{"Message":"bad"}', "acme: bad", None),
        (b'{"error":{"message":["bad"]}}', "acme answered with status 400 and no", None),
        (b'{"error":null}', "acme answered with status 400 and no", None),
    ],
)
def test_bodies_of_many_shapes_are_read(body: bytes, message: str, code: str | None) -> None:
    error = read(400, body)
    assert error.message.startswith(message)
    assert error.code == code


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "the request exceeds the available context size, try increasing it",
        "Please reduce the length. Current length is 9000 while limit is 8192",
        "Input is too long for requested model.",
        "`inputs` tokens + `max_new_tokens` must be <= 4096",
    ],
)
def test_a_context_that_is_too_long_is_told_apart(message: str) -> None:
    error = read(400, said(message))
    assert type(error) is UpstreamRejectedError
    assert (error.status, error.code, error.param) == (400, "context_length_exceeded", "input")


def test_a_rate_that_counts_tokens_is_not_a_context() -> None:
    error = read(429, said("the limit on input token count per minute is reached"))
    assert type(error) is UpstreamRateLimitError


def test_one_text_that_is_too_long_is_not_a_context() -> None:
    message = "string too long; its maximum context length is 10"
    error = read(400, said(message, code="string_above_max_length", param="metadata"))
    assert (error.code, error.param) == ("string_above_max_length", "metadata")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, said("You exceeded your current quota, please check your plan")),
        (429, said("no", code="insufficient_quota")),
        (400, said("Your credit balance is too low to access the API")),
        (403, said("no", type="insufficient_quota")),
    ],
)
def test_a_quota_is_not_a_rate(status: int, body: bytes) -> None:
    error = read(status, body)
    assert type(error) is UpstreamRateLimitError
    assert error.type == error.code == "insufficient_quota"
    assert error.headers["x-should-retry"] == "false"


def test_a_wrong_key_that_is_answered_with_400_is_still_a_wrong_key() -> None:
    body = b'{"code":"invalid argument","error":"Incorrect API key provided: xa***yz"}'
    error = read(400, body)
    assert type(error) is UpstreamAuthenticationError
    assert "yz" not in error.message


@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-0123456789",
        "AIzaSy0123456789",
        "xa***************yz",
        "Bearer abcdef",
        "https://host/?sig=a",
        "arn:aws:x",
    ],
)
def test_secrets_and_addresses_never_leave(status: int, secret: str) -> None:
    error = read(status, said(f"you sent {secret} and that is wrong"))
    assert secret not in error.message


def test_a_message_has_an_end() -> None:
    assert len(read(400, said("x" * 100_000)).message) < 2100


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            30,
        ),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 10:00:00 -0000",
                "date": "Sun, 22 Nov 2026 10:00:30 GMT",
            },
            0,
        ),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "inf", "retry-after": "2"}, 2),
    ],
)
def test_the_wait_is_read_in_each_of_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds
    error = read(429, headers=headers)
    assert error.retry_after == seconds
    assert error.headers == {name: value for name, value in headers.items() if name != "date"}


def test_googles_wait_is_in_the_body() -> None:
    details = [{"@type": "x"}, 7, {"retryDelay": "34.2s"}]
    error = read(429, said("slow down", details=details))
    assert error.retry_after == 34.2
    assert error.headers["retry-after"] == "35"


@given(
    st.integers(100, 999),
    st.binary()
    | st.builds(
        json.dumps,
        st.recursive(
            st.none() | st.text() | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(
                        ["error", "message", "detail", "details", "code", "retryDelay", "loc"]
                    ),
                    inner,
                    max_size=3,
                )
            ),
        ),
    ).map(str.encode),
)
def test_no_answer_is_too_strange(status: int, body: bytes) -> None:
    error = read(status, body)
    assert error.message
    assert 400 <= error.status < 600
