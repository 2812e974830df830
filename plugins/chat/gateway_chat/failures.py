"""Failures that a server reports inside an answer of status 200."""

from __future__ import annotations

import msgspec

from gateway.errors import UpstreamError
from gateway.plugin import Failure, Frame
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import read_report, told_status
from gateway_chat.wire import Chunk

__all__ = ["reported_failure"]


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
        return read_failure(Failure(status=told_status(error), body=body), provider=provider)
    if frame.event == "error" or (not chunk.choices and _is_report(frame, chunk)):
        body = msgspec.json.decode(frame.data)
        return read_failure(Failure(status=told_status(body), body=frame.data), provider=provider)
    return None


def _is_report(frame: Frame, chunk: Chunk) -> bool:
    kind = chunk.object or chunk.type or "error"
    return "error" in kind.lower() and bool(read_report(frame.data).message)
