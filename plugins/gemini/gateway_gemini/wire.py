"""The part of generateContent answers that we read: members that we do not use are not here."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from gateway.errors import UpstreamProtocolError
from gateway_gemini.grounding import Grounded

__all__ = ["Candidate", "Chunk", "FunctionCall", "LogprobsResult", "Part", "read_chunks"]


class PartialArgument(Struct, frozen=True, rename="camel"):
    """A piece of an argument; its place is a JSON path. A text may come in several pieces."""

    json_path: str = "$"
    string_value: str | None = None
    number_value: float | int | None = None
    bool_value: bool | None = None

    @property
    def value(self) -> str | float | bool | None:
        values = (self.string_value, self.number_value, self.bool_value)
        return next((value for value in values if value is not None), None)


class FunctionCall(Struct, frozen=True, rename="camel"):
    """A call or, if it will continue, a piece of one; a piece without anything ends a call."""

    id: str | None = None
    name: str | None = None
    args: dict[str, Any] | None = None
    partial_args: tuple[PartialArgument, ...] | None = None
    will_continue: bool | None = None


class Blob(Struct, frozen=True, rename="camel"):
    mime_type: str | None = None
    data: str | None = None


class Code(Struct, frozen=True):
    code: str | None = None


class CodeResult(Struct, frozen=True):
    outcome: str | None = None
    output: str | None = None


class ToolCall(Struct, frozen=True, rename="camel"):
    """A call of a tool that Google runs itself."""

    tool_type: str | None = None
    args: dict[str, Any] | None = None

    @property
    def queries(self) -> tuple[str, ...]:
        told = (self.args or {}).get("queries")
        return tuple(map(str, cast("list[Any]", told))) if isinstance(told, list) else ()


class Part(Struct, frozen=True, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None
    executable_code: Code | None = None
    code_execution_result: CodeResult | None = None
    tool_call: ToolCall | None = None


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


class Candidate(Grounded, frozen=True, rename="camel"):
    index: int | None = None
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: LogprobsResult | None = None
    continuation_token: str | None = None


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

    Raises `UpstreamProtocolError`.
    """
    try:
        found = _decode(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamProtocolError(f"gemini sent a broken frame: {error}") from error
    chunks = (found,) if isinstance(found, Chunk) else found
    if not chunks:
        raise UpstreamProtocolError("gemini sent an empty answer")
    return chunks
