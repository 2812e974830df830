"""Tools that a request offers to the model, and how it may choose among them."""

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, Struct

from gateway.types.open import Unknown, open_union
from gateway.types.tool_choice import (
    AllowedToolsChoice,
    ApplyPatchChoice,
    CustomChoice,
    FunctionChoice,
    HostedChoice,
    McpChoice,
    ProgrammaticChoice,
    ShellChoice,
    ToolChoice,
)
from gateway.types.wire import JsonObject, Omittable, Tagged, Wire

__all__ = [
    "AllowedToolsChoice",
    "ApplyPatchChoice",
    "ApplyPatchTool",
    "CodeInterpreterTool",
    "ComputerTool",
    "ComputerUsePreviewTool",
    "CustomChoice",
    "CustomTool",
    "FileSearchTool",
    "FunctionChoice",
    "FunctionTool",
    "GrammarFormat",
    "HostedChoice",
    "ImageGenerationTool",
    "LocalShellTool",
    "McpApprovalPolicy",
    "McpChoice",
    "McpTool",
    "McpToolFilter",
    "NamespaceMember",
    "NamespaceTool",
    "ProgrammaticChoice",
    "ProgrammaticToolCallingTool",
    "ShellChoice",
    "ShellTool",
    "TextFormat",
    "Tool",
    "ToolChoice",
    "ToolSearchTool",
    "WebSearchPreviewTool",
    "WebSearchTool",
]


_PUBLIC = re.compile(r"^(\s*[a-z]+://)?(?:[^/?#]*@)?([^?#]*).*", re.IGNORECASE | re.DOTALL)
"""The parts of a URL that are no secret: its scheme, its host and its path."""


class FunctionTool(Tagged, Struct, frozen=True, kw_only=True, tag="function"):
    """A function of the client's; the first four fields are always on the wire, null or not."""

    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None
    output_schema: Omittable[JsonObject] = UNSET
    defer_loading: Omittable[bool] = UNSET
    allowed_callers: Omittable[tuple[str, ...]] = UNSET
    async_: Omittable[bool] = msgspec.field(default=UNSET, name="async")


class TextFormat(Tagged, Struct, frozen=True, kw_only=True, tag="text"):
    """Free text: the input of a custom tool, or the model's answer."""


class GrammarFormat(Tagged, Struct, frozen=True, kw_only=True, tag="grammar"):
    definition: str
    syntax: Literal["lark", "regex"]


class CustomTool(Tagged, Struct, frozen=True, kw_only=True, tag="custom"):
    """A tool of the client's whose input is free text or follows a grammar."""

    name: str
    description: Omittable[str] = UNSET
    format: Omittable[TextFormat | GrammarFormat] = UNSET
    defer_loading: Omittable[bool] = UNSET
    allowed_callers: Omittable[tuple[str, ...]] = UNSET
    async_: Omittable[bool] = msgspec.field(default=UNSET, name="async")


class FileSearchTool(Tagged, Struct, frozen=True, kw_only=True, tag="file_search"):
    vector_store_ids: tuple[str, ...]
    filters: Omittable[JsonObject] = UNSET
    max_num_results: Omittable[int] = UNSET
    ranking_options: Omittable[JsonObject] = UNSET


class ComputerTool(Tagged, Struct, frozen=True, kw_only=True, tag="computer"):
    pass


class ComputerUsePreviewTool(Tagged, Struct, frozen=True, kw_only=True, tag="computer_use_preview"):
    """The older computer tool; sizes in pixels."""

    display_width: int
    display_height: int
    environment: str


class WebSearchTool(Wire, Struct, frozen=True, kw_only=True):
    """Web search; `type` may also be a dated one, which is kept."""

    type: str = "web_search"
    filters: Omittable[JsonObject] = UNSET
    search_context_size: Omittable[str] = UNSET
    user_location: Omittable[JsonObject] = UNSET
    external_web_access: Omittable[bool] = UNSET
    search_content_types: Omittable[tuple[str, ...]] = UNSET


class WebSearchPreviewTool(Wire, Struct, frozen=True, kw_only=True):
    """The older web search; `type` may also be a dated one, which is kept."""

    type: str = "web_search_preview"
    search_context_size: Omittable[str] = UNSET
    user_location: Omittable[JsonObject] = UNSET
    search_content_types: Omittable[tuple[str, ...]] = UNSET


class McpToolFilter(Struct, frozen=True, kw_only=True):
    """Tools of an MCP server by name, or those that only read; an empty filter means all."""

    tool_names: Omittable[tuple[str, ...]] = UNSET
    read_only: Omittable[bool] = UNSET


class McpApprovalPolicy(Struct, frozen=True, kw_only=True):
    always: Omittable[McpToolFilter] = UNSET
    never: Omittable[McpToolFilter] = UNSET


class McpTool(Tagged, Struct, frozen=True, kw_only=True, tag="mcp"):
    """A remote MCP server; `authorization` and `headers` are secrets and never leave us again."""

    server_label: str
    server_url: Omittable[str] = UNSET
    connector_id: Omittable[str] = UNSET
    tunnel_id: Omittable[str] = UNSET
    server_description: str | None = None
    authorization: Omittable[str] = UNSET
    headers: dict[str, str] | None = None
    allowed_tools: tuple[str, ...] | McpToolFilter | None = None
    require_approval: Literal["always", "never"] | McpApprovalPolicy | None = None
    allowed_callers: Omittable[tuple[str, ...]] = UNSET
    defer_loading: Omittable[bool] = UNSET

    def redacted(self) -> "McpTool":
        """The tool as it may be echoed, stored and logged: without its secrets, and without the
        user and the query of its URL, which may be some.
        """
        url = _PUBLIC.sub(r"\1\2", self.server_url) if self.server_url else self.server_url
        return msgspec.structs.replace(self, authorization=UNSET, headers=None, server_url=url)

    def __repr__(self) -> str:
        return f"McpTool(server_label={self.server_label!r})"  # a log may print it


class CodeInterpreterTool(Tagged, Struct, frozen=True, kw_only=True, tag="code_interpreter"):
    """Runs code in a container: the id of one, or the settings for a new one."""

    container: str | JsonObject
    allowed_callers: Omittable[tuple[str, ...]] = UNSET


class ProgrammaticToolCallingTool(
    Tagged, Struct, frozen=True, kw_only=True, tag="programmatic_tool_calling"
):
    pass


class ImageGenerationTool(Tagged, Struct, frozen=True, kw_only=True, tag="image_generation"):
    model: Omittable[str] = UNSET
    action: Omittable[str] = UNSET
    background: Omittable[str] = UNSET
    complexity: Omittable[str] = UNSET
    frame_count: Omittable[int] = UNSET
    frame_duration_ms: Omittable[int] = UNSET
    input_fidelity: Omittable[str] = UNSET
    input_image_mask: Omittable[JsonObject] = UNSET
    moderation: Omittable[str] = UNSET
    output_compression: Omittable[int] = UNSET
    output_format: Omittable[str] = UNSET
    partial_images: Omittable[int] = UNSET
    quality: Omittable[str] = UNSET
    size: Omittable[str] = UNSET
    svg: Omittable[JsonObject] = UNSET


class LocalShellTool(Tagged, Struct, frozen=True, kw_only=True, tag="local_shell"):
    pass


class ShellTool(Tagged, Struct, frozen=True, kw_only=True, tag="shell"):
    environment: Omittable[JsonObject] = UNSET
    allowed_callers: Omittable[tuple[str, ...]] = UNSET


class ApplyPatchTool(Tagged, Struct, frozen=True, kw_only=True, tag="apply_patch"):
    allowed_callers: Omittable[tuple[str, ...]] = UNSET


class ToolSearchTool(Tagged, Struct, frozen=True, kw_only=True, tag="tool_search"):
    """Finds deferred tools; `parameters` is a JSON Schema when the client executes it."""

    description: Omittable[str] = UNSET
    execution: Omittable[str] = UNSET
    parameters: Any = UNSET


if TYPE_CHECKING:
    NamespaceMember = FunctionTool | CustomTool | Unknown
else:
    NamespaceMember = open_union("NamespaceMember", FunctionTool, CustomTool)


class NamespaceTool(Tagged, Struct, frozen=True, kw_only=True, tag="namespace"):
    """Tools under a common name, which their calls carry as `namespace`."""

    name: str
    description: str = ""
    tools: tuple[NamespaceMember, ...] = ()


if TYPE_CHECKING:
    Tool = (
        FunctionTool
        | CustomTool
        | FileSearchTool
        | ComputerTool
        | ComputerUsePreviewTool
        | WebSearchTool
        | WebSearchPreviewTool
        | McpTool
        | CodeInterpreterTool
        | ProgrammaticToolCallingTool
        | ImageGenerationTool
        | LocalShellTool
        | ShellTool
        | ApplyPatchTool
        | ToolSearchTool
        | NamespaceTool
        | Unknown
    )
else:
    Tool = open_union(
        "Tool",
        FunctionTool,
        CustomTool,
        FileSearchTool,
        ComputerTool,
        ComputerUsePreviewTool,
        McpTool,
        CodeInterpreterTool,
        ProgrammaticToolCallingTool,
        ImageGenerationTool,
        LocalShellTool,
        ShellTool,
        ApplyPatchTool,
        ToolSearchTool,
        NamespaceTool,
        aliases={
            "web_search": WebSearchTool,
            "web_search_2025_08_26": WebSearchTool,
            "web_search_preview": WebSearchPreviewTool,
            "web_search_preview_2025_03_11": WebSearchPreviewTool,
        },
    )
