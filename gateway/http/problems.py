"""Errors as HTTP answers, in OpenAI's shape."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gateway.core.exchange import Whole
from gateway.errors import GatewayError, StoreError, UpstreamError
from gateway.http.answers import json_answer

__all__ = ["problem"]


def problem(error: GatewayError) -> Whole:
    """Return the answer that says `error`; a native upstream's own body passes unchanged."""
    headers = {**error.headers, **_retry_headers(error)}
    if isinstance(error, UpstreamError) and error.body is not None:
        return Whole(body=error.body, headers=headers, status=error.status)
    report = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    answer = json_answer({"error": report}, status=error.status)
    return Whole(body=answer.body, headers=headers, status=answer.status)


def _retry_headers(error: GatewayError) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    wait = error.retry_after if isinstance(error, UpstreamError) else None
    if wait is not None and not {"retry-after", "retry-after-ms"} & error.headers.keys():
        headers["retry-after"] = str(math.ceil(wait))
        headers["retry-after-ms"] = str(math.ceil(wait * 1000))
    if "x-should-retry" not in error.headers and _is_hopeless(error):
        headers["x-should-retry"] = "false"
    return headers


def _is_hopeless(error: GatewayError) -> bool:
    """Say whether clients would try again, by the status, although it cannot help."""
    if error.code == "insufficient_quota":
        return True
    if error.status < 500 or isinstance(error, StoreError):
        return False
    return not (isinstance(error, UpstreamError) and error.retryable)
