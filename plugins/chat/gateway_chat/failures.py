"""Failures that a server reports inside an answer of status 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from gateway.errors import UpstreamError
from gateway.plugin import Failure, Frame
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import read_report
from gateway_chat.wire import Chunk

__all__ = ["reported_failure"]

_UNKNOWN = 502

_STATUSES: Mapping[str, int] = {
    "authentication_error": 401,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "insufficient_quota": 429,
    "invalid_request_error": 400,
    "overloaded_error": 503,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "too_many_requests": 429,
}


def reported_failure(frame: Frame, chunk: Chunk, provider: str) -> UpstreamError | None:
    """Return what went wrong according to `frame`, or None if nothing did.

    Known are an `error` member (OpenRouter, vLLM), one in `x_groq` or in a choice, an event of the
    name `error` (Groq), a status in `base_resp` (MiniMax), and an object with a message in place of
    choices (Mistral's `{"object": "error"}`, FastAPI's `detail`).
    """
    error = chunk.error or (chunk.choices and chunk.choices[0].error)
    if chunk.x_groq:
        error = error or chunk.x_groq.error
    if chunk.base_resp and chunk.base_resp.status_code:
        error = error or {"message": chunk.base_resp.status_msg or ""}
    if error:
        body = msgspec.json.encode({"error": error})
        return read_failure(Failure(status=_status(error), body=body), provider=provider)
    if frame.event == "error" or (not chunk.choices and _is_report(frame, chunk)):
        body = msgspec.json.decode(frame.data)
        return read_failure(Failure(status=_status(body), body=frame.data), provider=provider)
    return None


def _is_report(frame: Frame, chunk: Chunk) -> bool:
    kind = chunk.object or chunk.type or "error"
    return "error" in kind.lower() and bool(read_report(frame.data).message)


def _status(error: Any) -> int:
    """Return the HTTP status that `error` names somewhere, else that of an unknown failure."""
    if isinstance(error, dict):
        members = cast("dict[str, object]", error)
        named = [str(members.get(name)) for name in ("status_code", "status", "code", "type")]
        for text in named:
            if text.isdecimal() and 400 <= int(text) <= 599:
                return int(text)
        for text in named:
            if status := _STATUSES.get(text.lower()):
                return status
    return _UNKNOWN
