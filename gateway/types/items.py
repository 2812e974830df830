"""Items: what goes into a request and what comes out in a response.

One Struct per `type` serves both directions, so `id` and `status` are optional: clients leave them
out, servers always send them. The items of hosted, computer and shell tools live in modules of
their own and are named here again.
"""

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, Struct

from gateway.types.computer_items import ComputerCall, ComputerCallOutput
from gateway.types.content import ContentPart, ReasoningText, SummaryText
from gateway.types.hosted_items import (
    CodeInterpreterCall,
    FileSearchCall,
    ImageGenerationCall,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    Program,
    ProgramOutput,
    WebSearchCall,
)
from gateway.types.open import Unknown, open_union
from gateway.types.shell_items import (
    ApplyPatchCall,
    ApplyPatchCallOutput,
    LocalShellCall,
    LocalShellCallOutput,
    ShellCall,
    ShellCallOutput,
)
from gateway.types.tools import Tool
from gateway.types.wire import JsonObject, Omittable, Tagged

__all__ = [
    "AdditionalTools",
    "ApplyPatchCall",
    "ApplyPatchCallOutput",
    "CodeInterpreterCall",
    "Compaction",
    "CompactionTrigger",
    "ComputerCall",
    "ComputerCallOutput",
    "ConfigurationUpdate",
    "CustomToolCall",
    "CustomToolCallOutput",
    "FileSearchCall",
    "FunctionCall",
    "FunctionCallOutput",
    "ImageGenerationCall",
    "InputItem",
    "ItemReference",
    "LocalShellCall",
    "LocalShellCallOutput",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpListTools",
    "Message",
    "OutputItem",
    "Program",
    "ProgramOutput",
    "Reasoning",
    "Role",
    "ShellCall",
    "ShellCallOutput",
    "ToolSearchCall",
    "ToolSearchOutput",
    "WebSearchCall",
]

Role = Literal["user", "assistant", "system", "developer"]


class Message(Tagged, Struct, frozen=True, kw_only=True, tag="message"):
    """What somebody said; `phase` ("commentary", "final_answer") must come back unchanged."""

    role: Role
    content: str | tuple[ContentPart, ...]
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    phase: Omittable[str] = UNSET


class Reasoning(Tagged, Struct, frozen=True, kw_only=True, tag="reasoning"):
    """What the model thought: summaries, raw text, and opaque state in `encrypted_content`."""

    summary: tuple[SummaryText, ...] = ()
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    content: Omittable[tuple[ReasoningText, ...]] = UNSET
    encrypted_content: Omittable[str] = UNSET


class FunctionCall(Tagged, Struct, frozen=True, kw_only=True, tag="function_call"):
    """A call of a function of the client's; *arguments* is JSON text."""

    call_id: str
    name: str
    arguments: str
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    namespace: Omittable[str] = UNSET
    caller: Omittable[JsonObject] = UNSET
    async_: Omittable[bool] = msgspec.field(default=UNSET, name="async")


class FunctionCallOutput(Tagged, Struct, frozen=True, kw_only=True, tag="function_call_output"):
    """What a function returned; without `call_id` it is the unasked output of an async function."""

    output: str | tuple[ContentPart, ...]
    call_id: Omittable[str] = UNSET
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    name: Omittable[str] = UNSET
    namespace: Omittable[str] = UNSET
    caller: Omittable[JsonObject] = UNSET
    created_by: Omittable[str] = UNSET


class CustomToolCall(Tagged, Struct, frozen=True, kw_only=True, tag="custom_tool_call"):
    """A call of a custom tool, whose *input* is free text."""

    call_id: str
    name: str
    input: str
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    namespace: Omittable[str] = UNSET
    caller: Omittable[JsonObject] = UNSET
    async_: Omittable[bool] = msgspec.field(default=UNSET, name="async")


class CustomToolCallOutput(
    Tagged, Struct, frozen=True, kw_only=True, tag="custom_tool_call_output"
):
    call_id: str
    output: str | tuple[ContentPart, ...]
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    caller: Omittable[JsonObject] = UNSET
    created_by: Omittable[str] = UNSET


class ToolSearchCall(Tagged, Struct, frozen=True, kw_only=True, tag="tool_search_call"):
    """A search for deferred tools, run by the server or the client (`execution`)."""

    arguments: Any = None
    call_id: Omittable[str] = UNSET
    execution: Omittable[str] = UNSET
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    created_by: Omittable[str] = UNSET


class ToolSearchOutput(Tagged, Struct, frozen=True, kw_only=True, tag="tool_search_output"):
    """The tools that a search found; the model may call them from here on."""

    tools: tuple[Tool, ...]
    call_id: Omittable[str] = UNSET
    execution: Omittable[str] = UNSET
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    created_by: Omittable[str] = UNSET


class AdditionalTools(Tagged, Struct, frozen=True, kw_only=True, tag="additional_tools"):
    """Tools that the request does not list elsewhere; some clients send all of them here."""

    tools: tuple[Tool, ...]
    role: str = "developer"
    id: Omittable[str] = UNSET


class ConfigurationUpdate(Tagged, Struct, frozen=True, kw_only=True, tag="configuration_update"):
    """Changes reasoning or text settings from here on."""

    id: Omittable[str] = UNSET
    reasoning: Omittable[JsonObject] = UNSET
    text: Omittable[JsonObject] = UNSET


class Compaction(Tagged, Struct, frozen=True, kw_only=True, tag="compaction"):
    """An opaque stand-in for the items before it."""

    encrypted_content: str
    id: Omittable[str] = UNSET
    created_by: Omittable[str] = UNSET


class CompactionTrigger(Tagged, Struct, frozen=True, kw_only=True, tag="compaction_trigger"):
    """Asks for a response that is exactly one `compaction` item."""

    id: Omittable[str] = UNSET


class ItemReference(Tagged, Struct, frozen=True, kw_only=True, tag="item_reference"):
    """Stands for the stored item of this id."""

    id: str


def _guess_type(item: dict[str, Any]) -> str:
    if "role" in item:
        return "message"
    return "item_reference" if item.keys() - {"type"} == {"id"} else ""


if TYPE_CHECKING:
    OutputItem = (
        Message
        | Reasoning
        | FunctionCall
        | FunctionCallOutput
        | CustomToolCall
        | CustomToolCallOutput
        | ToolSearchCall
        | ToolSearchOutput
        | AdditionalTools
        | ConfigurationUpdate
        | Compaction
        | FileSearchCall
        | WebSearchCall
        | CodeInterpreterCall
        | ImageGenerationCall
        | ComputerCall
        | ComputerCallOutput
        | LocalShellCall
        | LocalShellCallOutput
        | ShellCall
        | ShellCallOutput
        | ApplyPatchCall
        | ApplyPatchCallOutput
        | McpListTools
        | McpApprovalRequest
        | McpApprovalResponse
        | McpCall
        | Program
        | ProgramOutput
        | Unknown
    )
    InputItem = OutputItem | CompactionTrigger | ItemReference
else:
    _output_items = (
        Message,
        Reasoning,
        FunctionCall,
        FunctionCallOutput,
        CustomToolCall,
        CustomToolCallOutput,
        ToolSearchCall,
        ToolSearchOutput,
        AdditionalTools,
        ConfigurationUpdate,
        Compaction,
        FileSearchCall,
        WebSearchCall,
        CodeInterpreterCall,
        ImageGenerationCall,
        ComputerCall,
        ComputerCallOutput,
        LocalShellCall,
        LocalShellCallOutput,
        ShellCall,
        ShellCallOutput,
        ApplyPatchCall,
        ApplyPatchCallOutput,
        McpListTools,
        McpApprovalRequest,
        McpApprovalResponse,
        McpCall,
        Program,
        ProgramOutput,
    )
    OutputItem = open_union("OutputItem", *_output_items)
    InputItem = open_union(
        "InputItem", *_output_items, CompactionTrigger, ItemReference, guess=_guess_type
    )
