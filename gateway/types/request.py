"""Requests: what clients send to create, compact or count.

Absent and null read alike, as None. All decode functions raise msgspec.ValidationError for a wrong
type or value (`open.problem` says where), and msgspec.DecodeError for what is not JSON.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.types.items import InputItem
from gateway.types.open import decode_hook
from gateway.types.parameters import ConversationReference, Prompt, ReasoningConfig, TextConfig
from gateway.types.tools import Tool, ToolChoice
from gateway.types.wire import JsonObject

__all__ = [
    "CompactRequest",
    "ContextManagement",
    "InputTokensRequest",
    "Metadata",
    "Request",
    "RequestHead",
    "StreamOptions",
    "decode_compact_request",
    "decode_head",
    "decode_input_tokens_request",
    "decode_request",
]

Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
    Meta(max_length=16),
]
PositiveInt = Annotated[int, Meta(ge=1)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Probability = Annotated[float, Meta(ge=0, le=1)]
TopLogprobs = Annotated[int, Meta(ge=0, le=20)]
SafetyIdentifier = Annotated[str, Meta(max_length=128)]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]
Truncation = Literal["auto", "disabled"]


class StreamOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    include_obfuscation: bool | None = None


class ContextManagement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When to compact: `compact_threshold` is in tokens."""

    type: str | None = None
    compact_threshold: int | None = None


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every parameter of a create request."""

    model: str | None = None
    input: str | tuple[InputItem, ...] | None = None
    instructions: str | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: PositiveInt | None = None
    max_output_tokens: PositiveInt | None = None
    temperature: Temperature | None = None
    top_p: Probability | None = None
    top_logprobs: TopLogprobs | None = None
    reasoning: ReasoningConfig | None = None
    text: TextConfig | None = None
    truncation: Truncation | None = None
    include: tuple[str, ...] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = None
    background: bool | None = None
    background_options: JsonObject | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationReference | None = None
    context_management: tuple[ContextManagement, ...] | None = None
    prompt: Prompt | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: JsonObject | None = None
    prompt_cache_retention: str | None = None
    metadata: Metadata | None = None
    service_tier: ServiceTier | None = None
    safety_identifier: SafetyIdentifier | None = None
    user: str | None = None
    moderation: JsonObject | None = None
    access_programs: JsonObject | None = None
    image: JsonObject | None = None


class RequestHead(Struct, frozen=True, kw_only=True):
    """What routing needs of a create request; `input` and `tools` stay undecoded (empty: absent).

    JSON inside the undecoded values is checked for its syntax, not for its encoding.
    """

    model: str | None = None
    stream: bool | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationReference | None = None
    input: Raw = Raw()
    tools: Raw = Raw()


class CompactRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Asks for a compaction of *input*, or of the response that it continues."""

    model: str
    input: str | tuple[InputItem, ...] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: JsonObject | None = None
    prompt_cache_retention: str | None = None
    service_tier: ServiceTier | None = None
    image: JsonObject | None = None


class InputTokensRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Asks how many input tokens a create request would use."""

    model: str | None = None
    input: str | tuple[InputItem, ...] | None = None
    instructions: str | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: ReasoningConfig | None = None
    text: TextConfig | None = None
    truncation: Truncation | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationReference | None = None
    personality: str | None = None


decode_request = msgspec.json.Decoder(Request, dec_hook=decode_hook).decode
decode_head = msgspec.json.Decoder(RequestHead).decode
decode_compact_request = msgspec.json.Decoder(CompactRequest, dec_hook=decode_hook).decode
decode_input_tokens_request = msgspec.json.Decoder(InputTokensRequest, dec_hook=decode_hook).decode
