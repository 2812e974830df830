"""Failures that a server reports inside an answer of status 200."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.errors import UpstreamError
from gateway.plugin import Failure, Frame
from gateway.plugin.failures import read_failure
from gateway_chat.wire import Chunk

__all__ = ["reported_failure"]

_UNKNOWN = 502


def reported_failure(frame: Frame, chunk: Chunk, provider: str) -> UpstreamError | None:
    """Return what went wrong according to `frame`, or None if nothing did.

    Known are an `error` member (OpenRouter, vLLM), one in `x_groq` or in a choice, an event of the
    name `error` (Groq), and a whole object of the kind `error` (Mistral).
    """
    error = chunk.error or (chunk.x_groq and chunk.x_groq.error)
    for choice in chunk.choices or ():
        error = error or choice.error
    if error:
        body = msgspec.json.encode({"error": error})
        return read_failure(Failure(status=_status(error), body=body), provider=provider)
    if frame.event == "error" or chunk.object == "error":
        return read_failure(Failure(status=_UNKNOWN, body=frame.data), provider=provider)
    return None


def _status(error: dict[str, Any] | str) -> int:
    """Return the HTTP status that `error` names somewhere, else that of an unknown failure."""
    if isinstance(error, dict):
        for name in ("status_code", "status", "code"):
            text = str(error.get(name))
            if text.isdecimal() and 400 <= int(text) <= 599:
                return int(text)
    return _UNKNOWN
