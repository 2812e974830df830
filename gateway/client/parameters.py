"""What callers may pass, as types: the parameters of the API, and those of the call itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Required, TypedDict

from gateway.config import Timeouts

__all__ = [
    "CallOptions",
    "CompactParameters",
    "CountParameters",
    "CreateParameters",
    "Json",
    "PageOptions",
    "RetrieveOptions",
    "StoredOptions",
]

Json = object
"""Anything that has a JSON form: dicts and lists, dataclasses, our own Structs, and objects with
`to_dict()` or `model_dump()`, such as the items of an earlier response.
"""


class CallOptions(TypedDict, total=False):
    """How one call is made.

    `api_key` and `base_url` (or `api_base`) take the place of the configured ones.
    `custom_llm_provider` names the provider where the model does not. `timeout` is in seconds: for
    the first byte of the answer, and for each further one. `extra_headers` and `extra_query` go out
    with the request, `extra_body` holds parameters that are not listed.
    """

    api_key: str | None
    base_url: str | None
    api_base: str | None
    custom_llm_provider: str | None
    timeout: float | Timeouts | None
    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, object] | None
    extra_body: Mapping[str, Json] | None


class StoredOptions(TypedDict, total=False):
    """How a call about a response that exists is made.

    Its id says where it is kept. Whoever gives an `api_key`, a `base_url` (or `api_base`), a
    `custom_llm_provider` or a `model` is taken there instead.
    """

    api_key: str | None
    base_url: str | None
    api_base: str | None
    custom_llm_provider: str | None
    model: str | None
    timeout: float | Timeouts | None
    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, object] | None


class RetrieveOptions(StoredOptions, total=False):
    """How a response is fetched; `starting_after` is the last event of its stream that is known."""

    include: Iterable[str] | None
    include_obfuscation: bool | None
    starting_after: int | None


class PageOptions(StoredOptions, total=False):
    """Which page of input items is fetched: at most `limit` of them, those behind `after`."""

    after: str | None
    include: Iterable[str] | None
    limit: int | None
    order: Literal["asc", "desc"] | None


class CompactParameters(CallOptions, total=False):
    """The parameters of a compaction."""

    model: Required[str]
    input: str | Iterable[Json] | None
    instructions: str | None
    previous_response_id: str | None
    prompt_cache_key: str | None
    prompt_cache_options: Json
    prompt_cache_retention: str | None
    service_tier: str | None
    image: Json


class CountParameters(CallOptions, total=False):
    """The parameters of a count of input tokens."""

    model: Required[str]
    input: str | Iterable[Json] | None
    instructions: str | None
    tools: Iterable[Json] | None
    tool_choice: Json
    parallel_tool_calls: bool | None
    reasoning: Json
    text: Json
    truncation: Literal["auto", "disabled"] | None
    previous_response_id: str | None
    conversation: Json
    personality: str | None


class CreateParameters(CallOptions, total=False):
    """The parameters of a response."""

    model: Required[str]
    input: str | Iterable[Json] | None
    instructions: str | None
    tools: Iterable[Json] | None
    tool_choice: Json
    parallel_tool_calls: bool | None
    max_tool_calls: int | None
    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_logprobs: int | None
    reasoning: Json
    text: Json
    truncation: Literal["auto", "disabled"] | None
    include: Iterable[str] | None
    stream_options: Json
    store: bool | None
    background: bool | None
    background_options: Json
    previous_response_id: str | None
    conversation: Json
    context_management: Iterable[Json] | None
    prompt: Json
    prompt_cache_key: str | None
    prompt_cache_options: Json
    prompt_cache_retention: str | None
    metadata: Mapping[str, str] | None
    service_tier: str | None
    safety_identifier: str | None
    user: str | None
    moderation: Json
    access_programs: Json
    image: Json
