"""Anthropic's errors and rate limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from gateway.errors import UpstreamError
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
    error.headers = {**rate_limits(failure.headers), **error.headers}
    if failure.status == 429 and error.retry_after is None:
        error.retry_after = _longest_wait(failure.headers)
    return error


def error_in_stream(data: bytes, provider: str) -> UpstreamError:
    """Say which of our errors an `error` event is: its type stands for the status."""
    status = _STATUSES.get(read_report(data).type or "", 500)
    return read_failure(Failure(status=status, body=data), provider=provider)


def rate_limits(headers: Mapping[str, str]) -> dict[str, str]:
    """Return Anthropic's rate limits as OpenAI's headers, with the time until a reset and not of
    it.
    """
    limits: dict[str, str] = {}
    for name, value in headers.items():
        if name.startswith(_PREFIX):
            counted, _, what = name.removeprefix(_PREFIX).rpartition("-")
            if what == "reset":
                wait = _wait(value, headers.get("date"))
                value = "" if wait is None else f"{wait}s"
            if value and counted:
                limits[f"x-ratelimit-{what}-{counted}"] = value
    return limits


def _longest_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until all that is used up is there again."""
    used_up = (
        name.replace("-remaining", "-reset")
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name.endswith("-remaining") and value == "0"
    )
    waits = (_wait(headers.get(name, ""), headers.get("date")) for name in used_up)
    return max((wait for wait in waits if wait is not None), default=None)


def _wait(reset: str, now: str | None) -> int | None:
    """Return the seconds until `reset` (RFC 3339), by the clock of the answer's own `date`."""
    try:
        left = datetime.fromisoformat(reset) - parsedate_to_datetime(now or "")
    except (TypeError, ValueError):
        return None
    return max(0, math.ceil(left.total_seconds()))
