"""Anthropic's errors and rate limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from gateway.errors import UpstreamError, UpstreamRateLimitError
from gateway.plugin import Failure
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import read_report

__all__ = ["error_in_stream", "rate_limits", "read_error"]

_STATUSES: Mapping[str, int] = {
    "authentication_error": 401,
    "billing_error": 402,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "request_too_large": 413,
    "timeout_error": 504,
}
_PREFIX = "anthropic-ratelimit-"


def read_error(failure: Failure) -> UpstreamError:
    """Say which of our errors an answer with an error status is, rate limits included."""
    error = read_failure(failure)
    limits = rate_limits(failure.headers)
    error.headers = {**limits, **error.headers}
    if isinstance(error, UpstreamRateLimitError) and error.retry_after is None:
        resets = [
            name.replace("remaining", "reset") for name, left in limits.items() if left == "0"
        ]
        waits = [float(limits[name].removesuffix("s")) for name in resets if name in limits]
        error.retry_after = max(waits, default=None)
    return error


def error_in_stream(data: bytes, provider: str) -> UpstreamError:
    """Say which of our errors an `error` event is: its type stands for the status."""
    status = _STATUSES.get(read_report(data).type or "", 500)
    return read_failure(Failure(status=status, body=data), provider=provider)


def rate_limits(headers: Mapping[str, str]) -> dict[str, str]:
    """Return Anthropic's rate limits as OpenAI's headers, which tell the time until a reset.

    That takes the answer's own `date`, so that no clock of ours is needed.
    """
    limits: dict[str, str] = {}
    for name, value in headers.items():
        counted, _, what = name.removeprefix(_PREFIX).rpartition("-")
        told = _wait(value, headers.get("date", "")) if what == "reset" else value
        if name.startswith(_PREFIX) and counted and told:
            limits[f"x-ratelimit-{what}-{counted}"] = told
    return limits


def _wait(reset: str, now: str) -> str | None:
    try:
        left = datetime.fromisoformat(reset) - parsedate_to_datetime(now)
    except (TypeError, ValueError):
        return None
    return f"{max(0, math.ceil(left.total_seconds()))}s"
