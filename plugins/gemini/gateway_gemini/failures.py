"""Failures, as Gemini reports them: by status, or in the middle of an answer."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.errors import UpstreamError, UpstreamProtocolError, UpstreamRateLimitError
from gateway.plugin import Failure
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import told_status

__all__ = ["read_error", "reading_json", "reported_error"]

_BAD_KEY = re.compile(rb'"reason"\s*:\s*"API_KEY_(?:INVALID|SERVICE_BLOCKED)"|API key not valid')
_DAILY = b'"quota_exceeded"'
_SPENT = re.compile(rb"PerDay|limit: 0\b|spend|prepayment")


def read_error(failure: Failure, *, provider: str = "") -> UpstreamError:
    """Say which of our errors `failure` is.

    Google answers 400 to a wrong key. It speaks of a quota whenever there were too many requests:
    one that is open again in seconds is a rate limit.
    """
    if failure.status == 400 and _BAD_KEY.search(failure.body):
        failure = replace(failure, status=401)
    error = read_failure(failure, provider=provider)
    if error.code and "/" in error.code:  # an address that names the kind of failure
        error.code = error.code.rpartition("/")[2]
    if isinstance(error, UpstreamRateLimitError) and _DAILY in failure.body:
        error.type = error.code = "insufficient_quota"
    waits = isinstance(error, UpstreamRateLimitError) and error.retry_after is not None
    if waits and not _SPENT.search(failure.body):
        error.type, error.code = UpstreamRateLimitError.type, UpstreamRateLimitError.code
        error.headers = {n: text for n, text in error.headers.items() if n != "x-should-retry"}
    return error


@contextmanager
def reading_json() -> Generator[None]:
    """Turn what fails because JSON is not what Gemini's should be into `UpstreamProtocolError`."""
    try:
        yield
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise UpstreamProtocolError(f"gemini sent a broken frame: {error}") from error


def reported_error(told: Any, provider: str) -> UpstreamError:
    """Return what went wrong, `told` in place of an answer."""
    body = msgspec.json.encode({"error": told})
    return read_error(Failure(status=told_status(told), body=body), provider=provider)
