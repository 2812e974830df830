"""The part of Chat Completions answers that we read: fields that we do not use are not here."""

from __future__ import annotations

from contextlib import suppress
from types import UnionType
from typing import Any, cast, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct

from gateway.errors import UpstreamProtocolError
from gateway.types.content import Logprob

__all__ = [
    "Annotation",
    "CallPiece",
    "Choice",
    "ChoiceLogprobs",
    "Chunk",
    "CustomCall",
    "FunctionPiece",
    "Groq",
    "Message",
    "Part",
    "ReportedUsage",
    "UrlCitation",
    "read_chunk",
]


class FunctionPiece(Struct, frozen=True, kw_only=True):
    """A function call or a piece of one; some vendors send `arguments` as an object."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CustomCall(Struct, frozen=True, kw_only=True):
    name: str = ""
    input: str = ""


class CallPiece(Struct, frozen=True, kw_only=True):
    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None
    custom: CustomCall | None = None


class Part(Struct, frozen=True, kw_only=True):
    """An element of Mistral's content lists: text, or thinking that is a list itself."""

    type: str = ""
    text: str | None = None
    thinking: str | tuple[Part, ...] | None = None


class UrlCitation(Struct, frozen=True, kw_only=True):
    url: str = ""
    title: str = ""
    start_index: int = 0
    end_index: int = 0


class Annotation(Struct, frozen=True, kw_only=True):
    type: str = ""
    url_citation: UrlCitation | None = None


class Message(Struct, frozen=True, kw_only=True):
    """A `delta` of a stream or the `message` of a whole answer: the fields are the same."""

    content: str | tuple[Part, ...] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: tuple[dict[str, Any], ...] | None = None
    refusal: str | None = None
    tool_calls: tuple[CallPiece, ...] | None = None
    function_call: FunctionPiece | None = None
    annotations: tuple[Annotation, ...] | None = None


class ChoiceLogprobs(Struct, frozen=True, kw_only=True):
    content: tuple[Logprob, ...] | None = None


class Choice(Struct, frozen=True, kw_only=True):
    index: int = 0
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    logprobs: ChoiceLogprobs | None = None
    error: dict[str, Any] | str | None = None


class PromptDetails(Struct, frozen=True, kw_only=True):
    cached_tokens: float | None = None
    cache_write_tokens: float | None = None


class CompletionDetails(Struct, frozen=True, kw_only=True):
    reasoning_tokens: float | None = None


class ReportedUsage(Struct, frozen=True, kw_only=True):
    """Token counts under all the names that vendors give them; some write them as floats."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    total_tokens: float | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: float | None = None
    num_cached_tokens: float | None = None
    cached_tokens: float | None = None


class Groq(Struct, frozen=True, kw_only=True):
    """Groq's own member `x_groq`."""

    usage: ReportedUsage | None = None
    error: dict[str, Any] | str | None = None


class Chunk(Struct, frozen=True, kw_only=True):
    """A chunk of a stream, a whole `chat.completion`, or an error in place of either."""

    object: str | None = None
    choices: tuple[Choice, ...] | None = None
    usage: ReportedUsage | None = None
    x_groq: Groq | None = None
    error: dict[str, Any] | str | None = None


_decode = msgspec.json.Decoder(Chunk).decode


def read_chunk(data: bytes) -> Chunk:
    """Decode `data`, leaving out what has not the type that we expect.

    Raises `UpstreamProtocolError` if `data` is not a JSON object.
    """
    try:
        return _read(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamProtocolError(f"the upstream sent a broken frame: {error}") from error


def _read(data: bytes) -> Chunk:
    try:
        return _decode(data)
    except msgspec.ValidationError:
        chunk = _salvage(Chunk, msgspec.json.decode(data))
        if not isinstance(chunk, Chunk):
            raise
        return chunk


def _salvage(kind: Any, value: Any) -> Any:
    """Read `value` as a `kind`, without the members that do not fit; UNSET if nothing does."""
    with suppress(msgspec.ValidationError):
        return msgspec.convert(value, kind)
    for option in get_args(kind) if isinstance(kind, UnionType) else (kind,):
        if isinstance(value, list) and get_origin(option) is tuple:
            found = (_salvage(get_args(option)[0], member) for member in cast("list[Any]", value))
            return tuple(element for element in found if element is not UNSET)
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, Struct):
            return _salvage_members(option, cast("dict[str, Any]", value))
    return UNSET


def _salvage_members(kind: type[Struct], value: dict[str, Any]) -> Struct:
    members = {
        field.name: _salvage(field.type, value[field.encode_name])
        for field in msgspec.structs.fields(kind)
        if field.encode_name in value
    }
    return kind(**{name: member for name, member in members.items() if member is not UNSET})
