"""Items that a provider hands over complete, told as if they had been written piece by piece.

Clients build what they show from the events in between, so a message that comes whole still opens
its parts, and a call still has its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast

import msgspec

from gateway.stream.parts import (
    OutputTextPart,
    Place,
    ReasoningTextPart,
    RefusalPart,
    SummaryPart,
)
from gateway.stream.steps import Steps
from gateway.types.content import ContentPart, OutputText, ReasoningText, Refusal, SummaryText
from gateway.types.events import (
    CompactionCompacting,
    ContentPartAdded,
    ContentPartDone,
    CustomToolCallInputDelta,
    CustomToolCallInputDone,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    KnownEvent,
    OutputItemAdded,
    OutputItemDone,
)
from gateway.types.items import (
    CodeInterpreterCall,
    Compaction,
    CustomToolCall,
    FunctionCall,
    ImageGenerationCall,
    InputItem,
    McpCall,
    McpListTools,
    Message,
    OutputItem,
    Program,
    Reasoning,
)
from gateway.types.open import Unknown

__all__ = [
    "announced",
    "changed",
    "content_events",
    "id_prefix",
    "item_id",
    "whole_events",
    "with_parts",
    "with_status",
]

T = TypeVar("T", bound=InputItem)

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "computer_call": "cu",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "web_search_call": "ws",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "shell_call": "sh",
    "local_shell_call": "lsh",
    "apply_patch_call": "apc",
    "tool_search_call": "tsc",
    "function_call_output": "fco",
    "custom_tool_call_output": "cto",
    "shell_call_output": "sho",
    "local_shell_call_output": "lsho",
    "apply_patch_call_output": "apo",
    "tool_search_output": "tso",
    "additional_tools": "at",
    "compaction": "cmp",
}

_WHEN_ADDED: dict[type, dict[str, Any]] = {
    Message: {"content": ()},
    Reasoning: {"summary": (), "content": msgspec.UNSET, "encrypted_content": msgspec.UNSET},
    FunctionCall: {"arguments": ""},
    CustomToolCall: {"input": ""},
    McpCall: {"arguments": "", "output": None, "error": None},
    McpListTools: {"tools": ()},
    Program: {"code": ""},
    CodeInterpreterCall: {"code": "", "outputs": None},
    ImageGenerationCall: {"result": None},
}
"""What an item is announced with in place of what its own events are about to say."""


def id_prefix(item: InputItem) -> str:
    """Return what the ids of such items begin with."""
    return _PREFIXES.get(item.type, "item")


def item_id(item: InputItem) -> str | None:
    """Return the id that `item` has from where it comes, if any."""
    return _field(item, "id")


def changed(item: T, **fields: str) -> T:
    """Return `item` with other values for some fields, such as another `id`."""
    if isinstance(item, Unknown):
        return cast("T", Unknown({**item, **fields}))
    return msgspec.structs.replace(item, **fields)


def with_parts(item: OutputItem) -> OutputItem:
    """Return `item` as answers hold it: a message's content is never a bare string."""
    if isinstance(item, Message) and isinstance(item.content, str):
        return msgspec.structs.replace(item, content=(OutputText(text=item.content),))
    return item


def with_status(item: OutputItem, status: str) -> OutputItem:
    """Return `item` with `status`, if it is of a kind that has one."""
    members = item if isinstance(item, Unknown) else item.__struct_fields__
    return changed(item, status=status) if "status" in members else item


def whole_events(item: OutputItem, index: int) -> list[KnownEvent]:
    """Return all events of `item`, which has an id."""
    steps = Steps(item, index)
    return [
        OutputItemAdded(output_index=index, item=announced(item)),
        *steps.begin(),
        *steps.end(item),
        *content_events(item, index),
        OutputItemDone(output_index=index, item=item),
    ]


def announced(item: OutputItem) -> OutputItem:
    """Return `item` as it is before its own events; outputs of tools are over from the start."""
    if not isinstance(item, Unknown):
        item = msgspec.structs.replace(item, **_WHEN_ADDED.get(type(item), {}))
    if _field(item, "status") and not item.type.endswith("_output"):
        item = changed(item, status="in_progress")
    return item


def content_events(item: OutputItem, index: int) -> list[KnownEvent]:
    """Return what is told of the content of `item`, which nothing was told of before."""
    place: dict[str, Any] = {"item_id": item_id(item), "output_index": index}
    match item:
        case Message(content=content) if not isinstance(content, str):
            return _part_events(content, str(item.id), index)
        case Reasoning():
            summary = _part_events(item.summary, str(item.id), index)
            return summary + _part_events(item.content or (), str(item.id), index)
        case FunctionCall(arguments=arguments):
            delta = FunctionCallArgumentsDelta(delta=arguments, **place)
            return [delta, FunctionCallArgumentsDone(arguments=arguments, **place)]
        case CustomToolCall():
            delta = CustomToolCallInputDelta(delta=item.input, **place)
            return [delta, CustomToolCallInputDone(input=item.input, **place)]
        case Compaction():
            return [CompactionCompacting(**place)]
        case _:
            return []


def _field(item: InputItem, name: str) -> str | None:
    value = item.get(name) if isinstance(item, Unknown) else getattr(item, name, None)
    return value if isinstance(value, str) else None


def _part_events(parts: Iterable[ContentPart], item_id: str, output_index: int) -> list[KnownEvent]:
    events: list[KnownEvent] = []
    for index, content in enumerate(parts):
        events += _events_of_part(content, Place(item_id, output_index, index))
    return events


def _events_of_part(content: ContentPart, place: Place) -> list[KnownEvent]:
    match content:
        case OutputText():
            text = OutputTextPart(place)
            said = text.write(content.text, content.logprobs or ())
            cited = [text.annotate(annotation) for annotation in content.annotations]
            return [text.opening(), said, *cited, *text.closing()]
        case Refusal():
            refusal = RefusalPart(place)
            return [refusal.opening(), refusal.write(content.refusal), *refusal.closing()]
        case ReasoningText():
            thought = ReasoningTextPart(place)
            return [thought.opening(), thought.write(content.text), *thought.closing()]
        case SummaryText():
            summary = SummaryPart(place)
            return [summary.opening(), summary.write(content.text), *summary.closing()]
        case _:
            where: dict[str, Any] = {
                "item_id": place.item_id,
                "output_index": place.output_index,
                "content_index": place.index,
                "part": content,
            }
            return [ContentPartAdded(**where), ContentPartDone(**where)]
