"""Anthropic's errors are told apart by status and by type; none of these has been recorded."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.plugin import Failure
from gateway_anthropic import AnthropicDialect

NOW = "Sun, 22 Nov 2026 12:00:00 GMT"
LIMITS = {
    "date": NOW,
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-22T12:01:40Z",
    "anthropic-ratelimit-input-tokens-limit": "10000",
    "anthropic-ratelimit-input-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-22T12:00:12.5Z",
}


def body(kind: str, message: str = "Something is wrong") -> bytes:
    error = {"type": kind, "message": message}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": "req_1"})


def error(status: int, data: bytes, headers: Mapping[str, str] = {}) -> UpstreamError:
    return AnthropicDialect().error(Failure(status=status, headers=headers, body=data))


def test_a_rate_limit_says_when_to_come_back() -> None:
    failure = error(429, body("rate_limit_error"), {**LIMITS, "retry-after": "7"})
    assert isinstance(failure, UpstreamRateLimitError)
    assert failure.retry_after == 7
    assert failure.headers["retry-after"] == "7"


def test_without_a_wish_the_limit_that_is_used_up_says_when() -> None:
    also = {"tokens-remaining": "0", "tokens-reset": "2026-11-22T12:00:05Z"}
    more = {f"anthropic-ratelimit-{name}": value for name, value in also.items()}
    failure = error(429, body("rate_limit_error"), {**LIMITS, **more})
    assert failure.retry_after == 13
    assert failure.headers["retry-after"] == "13"


def test_rate_limits_are_told_in_the_words_of_openai() -> None:
    assert error(529, body("overloaded_error"), LIMITS).headers == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-reset-requests": "100s",
        "x-ratelimit-limit-input-tokens": "10000",
        "x-ratelimit-remaining-input-tokens": "0",
        "x-ratelimit-reset-input-tokens": "13s",
    }


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_reset_that_cannot_be_reckoned_is_left_out(date: str) -> None:
    failure = error(429, body("rate_limit_error"), {**LIMITS, "date": date})
    assert failure.retry_after is None
    assert not [name for name in failure.headers if "reset" in name]


def test_an_overload_is_one() -> None:
    failure = error(529, body("overloaded_error", "Overloaded"))
    assert isinstance(failure, UpstreamUnavailableError)
    assert (failure.status, failure.code) == (503, "overloaded")


def test_a_prompt_that_is_too_long_is_named() -> None:
    message = "prompt is too long: 210000 tokens > 200000 maximum"
    failure = error(400, body("invalid_request_error", message))
    assert (failure.status, failure.code) == (400, "context_length_exceeded")


def test_a_spent_budget_is_no_fault_of_the_request() -> None:
    message = "You have reached your specified API usage limits."
    failure = error(400, body("invalid_request_error", message))
    assert (failure.status, failure.code) == (429, "insufficient_quota")


@pytest.mark.parametrize("data", [b"", b"<html>Too large</html>", b"[]", b'{"error": "no"}'])
def test_a_body_of_any_shape_will_do(data: bytes) -> None:
    failure = error(413, data)
    assert (failure.status, failure.code) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", UpstreamUnavailableError),
        ("api_error", UpstreamUnavailableError),
        ("not_invented_yet", UpstreamUnavailableError),
        ("timeout_error", UpstreamTimeoutError),
        ("rate_limit_error", UpstreamRateLimitError),
        ("billing_error", UpstreamRateLimitError),
        ("invalid_request_error", UpstreamRejectedError),
        ("authentication_error", UpstreamAuthenticationError),
        ("permission_error", UpstreamAuthenticationError),
    ],
)
def test_an_error_in_the_stream_is_told_by_its_type(
    read: Callable[..., Any],
    streamed: Callable[..., bytes],
    kind: str,
    expected: type[UpstreamError],
) -> None:
    begun = streamed({"type": "text", "text": "Once upon a time"})
    begun = begun[: begun.index(b"event: content_block_stop")]
    outcome = read([begun, b"event: error\ndata: " + body(kind) + b"\n\n"])
    assert type(outcome.error) is expected
    assert outcome.response.status == "failed"
    assert outcome.response.output_text == "Once upon a time"
