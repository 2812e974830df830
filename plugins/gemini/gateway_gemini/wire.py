"""The part of generateContent answers that we read: members that we do not use are not here."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from gateway.errors import UpstreamProtocolError

__all__ = ["Candidate", "Chunk", "FunctionCall", "LogprobsResult", "read_chunks"]


class FunctionCall(Struct, frozen=True, rename="camel"):
    """A call or, if it will continue, a piece of one; a piece without anything ends a call."""

    id: str | None = None
    name: str | None = None
    args: dict[str, Any] | None = None
    partial_args: tuple[dict[str, Any], ...] | None = None
    will_continue: bool | None = None


class Content(Struct, frozen=True):
    parts: tuple[dict[str, Any], ...] | None = None


class Token(Struct, frozen=True, rename="camel"):
    """A token that was possible; a number that JSON has not, such as -Infinity, is a text."""

    token: str | None = None
    log_probability: float | Literal["-Infinity", "NaN"] | None = None


class Tokens(Struct, frozen=True):
    candidates: tuple[Token, ...] | None = None


class LogprobsResult(Struct, frozen=True, rename="camel"):
    chosen_candidates: tuple[Token, ...] | None = None
    top_candidates: tuple[Tokens, ...] | None = None


class Candidate(Struct, frozen=True, rename="camel"):
    index: int | None = None
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: LogprobsResult | None = None
    continuation_token: str | None = None
    grounding_metadata: dict[str, Any] | None = None
    citation_metadata: dict[str, Any] | None = None
    url_context_metadata: dict[str, Any] | None = None

    @property
    def grounds(self) -> dict[str, Any]:
        """What is said of its grounds; streams say it at their end."""
        told = (self.grounding_metadata, self.citation_metadata, self.url_context_metadata)
        return {name: value for members in told for name, value in (members or {}).items()}


class Feedback(Struct, frozen=True, rename="camel"):
    """Why a prompt gets no answer."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class Chunk(Struct, frozen=True, rename="camel"):
    """A piece of an answer or a whole one, or an error in its place."""

    candidates: tuple[Candidate, ...] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: dict[str, Any] | None = None
    error: Any = None


_decode = msgspec.json.Decoder(Chunk | tuple[Chunk, ...]).decode


def read_chunks(data: bytes) -> tuple[Chunk, ...]:
    """Decode a chunk, or the list of all that Gemini sends where it was not asked for events.

    Raises `UpstreamProtocolError` if there is none, and `msgspec.DecodeError`.
    """
    found = _decode(data)
    chunks = (found,) if isinstance(found, Chunk) else found
    if not chunks:
        raise UpstreamProtocolError("gemini sent an empty answer")
    return chunks
