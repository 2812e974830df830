"""Responses and the other objects that the endpoints answer with."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gateway.types.content import OutputText
from gateway.types.items import InputItem, Message, OutputItem
from gateway.types.parameters import (
    ConversationReference,
    Prompt,
    ReasoningConfig,
    TextConfig,
)
from gateway.types.request import Request
from gateway.types.tools import McpTool, TextFormat, Tool, ToolChoice
from gateway.types.wire import JsonObject, Omittable, Wire, answer_decoder, read_answer

__all__ = [
    "CompactedResponse",
    "DeletedResponse",
    "IncompleteDetails",
    "InputItemList",
    "InputTokenCount",
    "InputTokensDetails",
    "OutputTokensDetails",
    "Response",
    "ResponseError",
    "Usage",
    "decode_compacted",
    "decode_deleted",
    "decode_input_items",
    "decode_input_tokens",
    "decode_response",
    "start_response",
]


class InputTokensDetails(Struct, frozen=True, kw_only=True):
    """Parts of the input tokens: read from and written to the prompt cache."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_tokens_details: Omittable[JsonObject] = UNSET


class OutputTokensDetails(Struct, frozen=True, kw_only=True):
    """Part of the output tokens: those of the reasoning."""

    reasoning_tokens: int = 0


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that a response used."""

    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()
    total_tokens: int = 0


class ResponseError(Struct, frozen=True, kw_only=True):
    """Why a response failed."""

    code: str = "server_error"
    message: str = ""
    param: Omittable[str] = UNSET
    type: Omittable[str] = UNSET
    misalignment: Omittable[JsonObject] = UNSET


class IncompleteDetails(Struct, frozen=True, kw_only=True):
    """Why a response ended early, such as "max_output_tokens" or "content_filter"."""

    reason: str | None = None


class Response(Wire, Struct, frozen=True, kw_only=True, dict=True):
    """A response: the request's parameters as they were used, and what the model made of them.

    Encoding writes every key that the Open Responses schema requires, nulls included. When it was
    read from an upstream, `to_dict` and `to_json` give what the upstream sent.
    """

    id: str
    object: str = "response"
    created_at: int | float
    status: str | None = "in_progress"
    background: bool | None = False
    completed_at: int | float | None = None
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | tuple[InputItem, ...] | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    model: str
    output: tuple[OutputItem, ...] = ()
    parallel_tool_calls: bool | None = True
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    reasoning: ReasoningConfig | None = None
    safety_identifier: str | None = None
    service_tier: str | None = "default"
    store: bool | None = False
    temperature: float | None = 1.0
    text: TextConfig | None = TextConfig()
    tool_choice: ToolChoice | None = "auto"
    tools: tuple[Tool, ...] = ()
    top_logprobs: int | None = 0
    top_p: float | None = 1.0
    presence_penalty: float | None = 0.0
    frequency_penalty: float | None = 0.0
    truncation: str | None = "disabled"
    usage: Usage | None = None
    metadata: dict[str, str] | None = {}
    access_programs: Omittable[JsonObject] = UNSET
    billing: Omittable[JsonObject] = UNSET
    conversation: Omittable[ConversationReference] = UNSET
    image: Omittable[JsonObject] = UNSET
    input_transformations: Omittable[tuple[JsonObject, ...]] = UNSET
    moderation: Omittable[JsonObject] = UNSET
    prompt: Omittable[Prompt] = UNSET
    prompt_cache_diagnostics: Omittable[JsonObject] = UNSET
    prompt_cache_options: Omittable[JsonObject] = UNSET
    prompt_cache_retention: Omittable[str] = UNSET
    tool_usage: Omittable[JsonObject] = UNSET
    user: Omittable[str] = UNSET

    @property
    def output_text(self) -> str:
        """The text of all messages, joined."""
        return "".join(
            part.text
            for item in self.output
            if isinstance(item, Message)
            for part in item.content
            if isinstance(part, OutputText)
        )


class DeletedResponse(Wire, Struct, frozen=True, kw_only=True, dict=True):
    id: str
    object: str = "response"
    deleted: bool = True


class InputItemList(Wire, Struct, frozen=True, kw_only=True, dict=True):
    """One page of a response's input; the next page begins after `last_id`."""

    object: str = "list"
    data: tuple[InputItem, ...] = ()
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


class CompactedResponse(Wire, Struct, frozen=True, kw_only=True, dict=True):
    id: str
    object: str = "response.compaction"
    created_at: int | float
    output: tuple[OutputItem, ...] = ()
    usage: Usage | None = None
    image: Omittable[JsonObject] = UNSET


class InputTokenCount(Wire, Struct, frozen=True, kw_only=True, dict=True):
    object: str = "response.input_tokens"
    input_tokens: int


_response = answer_decoder(Response)
_deleted = answer_decoder(DeletedResponse)
_input_items = answer_decoder(InputItemList)
_compacted = answer_decoder(CompactedResponse)
_input_tokens = answer_decoder(InputTokenCount)


def decode_response(data: bytes) -> Response:
    return read_answer(_response, data)


def decode_deleted(data: bytes) -> DeletedResponse:
    return read_answer(_deleted, data)


def decode_input_items(data: bytes) -> InputItemList:
    return read_answer(_input_items, data)


def decode_compacted(data: bytes) -> CompactedResponse:
    return read_answer(_compacted, data)


def decode_input_tokens(data: bytes) -> InputTokenCount:
    return read_answer(_input_tokens, data)


def start_response(request: Request, *, id: str, model: str, created_at: int) -> Response:
    """Begin the response to *request*: in progress, echoing its parameters without MCP secrets.

    *created_at* is in seconds since the epoch, *model* the name that the client asked for.
    """
    return Response(
        id=id,
        created_at=created_at,
        model=model,
        background=request.background or False,
        conversation=_conversation(request.conversation),
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        max_tool_calls=request.max_tool_calls,
        metadata=request.metadata or {},
        parallel_tool_calls=_value(request.parallel_tool_calls, default=True),
        previous_response_id=request.previous_response_id,
        prompt=_if_set(request.prompt),
        prompt_cache_key=request.prompt_cache_key,
        prompt_cache_options=_if_set(request.prompt_cache_options),
        prompt_cache_retention=_if_set(request.prompt_cache_retention),
        reasoning=request.reasoning,
        safety_identifier=request.safety_identifier,
        service_tier=request.service_tier or "default",
        store=request.store or False,
        temperature=_value(request.temperature, default=1.0),
        text=_text(request.text),
        tool_choice=request.tool_choice or "auto",
        tools=tuple(_echoed(tool) for tool in request.tools or ()),
        top_logprobs=request.top_logprobs or 0,
        top_p=_value(request.top_p, default=1.0),
        truncation=request.truncation or "disabled",
        access_programs=_if_set(request.access_programs),
        user=_if_set(request.user),
    )


def _value(value: Any, *, default: Any) -> Any:
    return default if value is None else value


def _if_set(value: Any) -> Any:
    return UNSET if value is None else value


def _conversation(
    conversation: str | ConversationReference | None,
) -> ConversationReference | UnsetType:
    if conversation is None:
        return UNSET
    if isinstance(conversation, str):
        return ConversationReference(id=conversation)
    return conversation


def _text(text: TextConfig | None) -> TextConfig:
    if text is None:
        return TextConfig()
    return text if text.format else TextConfig(format=TextFormat(), verbosity=text.verbosity)


def _echoed(tool: Tool) -> Tool:
    return tool.redacted() if isinstance(tool, McpTool) else tool
