"""The part of Chat Completions answers that we read: fields that we do not use are not here."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import UpstreamProtocolError
from gateway.types.content import Logprob
from gateway_chat.salvage import salvage

__all__ = [
    "Audio",
    "CallPiece",
    "Choice",
    "ChoiceLogprobs",
    "Chunk",
    "Citation",
    "CompletionDetails",
    "CustomPiece",
    "ExtraContent",
    "FunctionPiece",
    "Google",
    "Groq",
    "Image",
    "ImageUrl",
    "Message",
    "MiniMax",
    "Part",
    "PromptDetails",
    "ReportedUsage",
    "Source",
    "TokenCounts",
    "read_chunk",
]


class FunctionPiece(Struct, frozen=True, kw_only=True):
    """A function call or a piece of one; some vendors send `arguments` as an object."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CustomPiece(Struct, frozen=True, kw_only=True):
    """A call of a custom tool or a piece of one, whose input is free text."""

    name: str | None = None
    input: str | None = None


class Google(Struct, frozen=True, kw_only=True):
    """Gemini's own member: a signature that must come back, and whether the content is thought."""

    thought_signature: str | None = None
    thought: bool | None = None


class ExtraContent(Struct, frozen=True, kw_only=True):
    google: Google | None = None


class CallPiece(Struct, frozen=True, kw_only=True):
    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None
    custom: CustomPiece | None = None
    extra_content: ExtraContent | None = None


class ImageUrl(Struct, frozen=True, kw_only=True):
    url: str = ""


class Image(Struct, frozen=True, kw_only=True):
    """An image that the model made, by `data:` URL or as bare base64."""

    image_url: ImageUrl | str | None = None
    url: str | None = None
    b64_json: str | None = None


class Part(Struct, frozen=True, kw_only=True):
    """An element of a content list: text, thinking that may be a list itself, a source, an image.

    Mistral sends such lists, Databricks its reasoning.
    """

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    thinking: str | tuple[Part, ...] | None = None
    summary: tuple[Part, ...] | None = None
    signature: str | None = None
    reference_ids: tuple[int | str, ...] | None = None
    url: str | None = None
    title: str | None = None
    image_url: ImageUrl | str | None = None


class Source(Struct, frozen=True, kw_only=True):
    """What a search found."""

    url: str | None = None
    title: str | None = None


class Citation(Struct, frozen=True, kw_only=True):
    """An annotation: OpenAI nests its members, others do not."""

    type: str | None = None
    url_citation: Citation | None = None
    url: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Audio(Struct, frozen=True, kw_only=True):
    transcript: str | None = None


class Message(Struct, frozen=True, kw_only=True):
    """A `delta` of a stream or the `message` of a whole answer: the fields are the same."""

    content: str | tuple[Part, ...] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_text: str | None = None
    reasoning_details: tuple[dict[str, Any], ...] | None = None
    refusal: str | None = None
    tool_calls: tuple[CallPiece, ...] | None = None
    function_call: FunctionPiece | None = None
    annotations: tuple[Citation, ...] | None = None
    images: tuple[Image | str, ...] | None = None
    audio: Audio | None = None
    extra_content: ExtraContent | None = None


class ChoiceLogprobs(Struct, frozen=True, kw_only=True):
    content: tuple[Logprob, ...] | None = None


class Choice(Struct, frozen=True, kw_only=True):
    index: int | None = 0
    delta: Message | None = None
    message: Message | None = None
    finish_reason: str | None = None
    logprobs: ChoiceLogprobs | None = None
    error: Any = None


class PromptDetails(Struct, frozen=True, kw_only=True):
    cached_tokens: float | None = None
    cache_write_tokens: float | None = None


class CompletionDetails(Struct, frozen=True, kw_only=True):
    reasoning_tokens: float | None = None


class TokenCounts(Struct, frozen=True, kw_only=True):
    """Cohere's counts, inside its usage."""

    input_tokens: float | None = None
    output_tokens: float | None = None


class ReportedUsage(Struct, frozen=True, kw_only=True):
    """Token counts under all the names that vendors give them; some write them as floats."""

    prompt_tokens: float | None = None
    input_tokens: float | None = None
    completion_tokens: float | None = None
    output_tokens: float | None = None
    total_tokens: float | None = None
    prompt_tokens_details: PromptDetails | None = None
    input_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    output_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: float | None = None
    num_cached_tokens: float | None = None
    cached_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation_input_tokens: float | None = None
    reasoning_tokens: float | None = None
    tokens: TokenCounts | None = None
    billed_units: TokenCounts | None = None


class Groq(Struct, frozen=True, kw_only=True):
    """Groq's own member `x_groq`."""

    usage: ReportedUsage | None = None
    error: Any = None


class MiniMax(Struct, frozen=True, kw_only=True):
    """MiniMax's own member `base_resp`, by which it reports failures; the code of none is 0."""

    status_code: int | None = 0
    status_msg: str | None = None


class Chunk(Struct, frozen=True, kw_only=True):
    """A chunk of a stream, a whole `chat.completion`, or an error in place of either.

    `citations` and `search_results` list the sources that markers in the text count (Perplexity).
    """

    object: str | None = None
    type: str | None = None
    choices: tuple[Choice, ...] | None = None
    usage: ReportedUsage | None = None
    citations: tuple[str | Source, ...] | None = None
    search_results: tuple[Source, ...] | None = None
    x_groq: Groq | None = None
    base_resp: MiniMax | None = None
    error: Any = None


_decode = msgspec.json.Decoder(Chunk).decode


def read_chunk(data: bytes) -> Chunk:
    """Decode `data`, leaving out what has not the type that we expect.

    Raises `UpstreamProtocolError` if `data` is not a JSON object.
    """
    try:
        return _decode(data)
    except msgspec.ValidationError:
        pass
    except (ValueError, RecursionError) as error:
        raise _broken(error) from error
    try:
        return salvage(data, Chunk)
    except (ValueError, RecursionError) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> UpstreamProtocolError:
    return UpstreamProtocolError(f"the upstream sent a broken frame: {error}")
