"""Items of tools that OpenAI, a vendor or the gateway itself runs: search, code, images, MCP."""

from typing import Any

from msgspec import UNSET, Struct

from gateway.types.wire import JsonObject, Omittable, Tagged

__all__ = [
    "CodeInterpreterCall",
    "FileSearchCall",
    "ImageGenerationCall",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpListTools",
    "McpListedTool",
    "Program",
    "ProgramOutput",
    "WebSearchCall",
]


class FileSearchCall(Tagged, Struct, frozen=True, kw_only=True, tag="file_search_call"):
    """A search of vector stores; `results` is null unless the request includes them."""

    queries: tuple[str, ...] = ()
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    results: Omittable[tuple[JsonObject, ...]] = UNSET


class WebSearchCall(Tagged, Struct, frozen=True, kw_only=True, tag="web_search_call"):
    """A web search; `action` is a search, open_page or find_in_page object."""

    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    action: Omittable[JsonObject] = UNSET


class CodeInterpreterCall(Tagged, Struct, frozen=True, kw_only=True, tag="code_interpreter_call"):
    """Code that ran in a container; `outputs` is null unless the request includes them."""

    container_id: str
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    code: str | None = None
    outputs: tuple[JsonObject, ...] | None = None


class ImageGenerationCall(Tagged, Struct, frozen=True, kw_only=True, tag="image_generation_call"):
    """An image; `result` is base64 and null until it is made."""

    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    result: str | None = None
    action: Omittable[str] = UNSET
    background: Omittable[str] = UNSET
    error: Omittable[JsonObject] = UNSET
    output_format: Omittable[str] = UNSET
    quality: Omittable[str] = UNSET
    revised_prompt: Omittable[str] = UNSET
    size: Omittable[str] = UNSET
    svg_usage: Omittable[JsonObject] = UNSET


class McpListedTool(Struct, frozen=True, kw_only=True):
    """A tool as an MCP server describes it; `input_schema` is a JSON Schema."""

    name: str
    input_schema: Any = UNSET
    description: Omittable[str] = UNSET
    annotations: Any = UNSET


class McpListTools(Tagged, Struct, frozen=True, kw_only=True, tag="mcp_list_tools"):
    """The tools of one MCP server; `error` says why there are none."""

    server_label: str
    id: Omittable[str] = UNSET
    tools: tuple[McpListedTool, ...] = ()
    error: Omittable[str] = UNSET


class McpApprovalRequest(Tagged, Struct, frozen=True, kw_only=True, tag="mcp_approval_request"):
    """Asks the client to allow a call; *arguments* is JSON text."""

    name: str
    arguments: str
    server_label: str
    id: Omittable[str] = UNSET


class McpApprovalResponse(Tagged, Struct, frozen=True, kw_only=True, tag="mcp_approval_response"):
    approval_request_id: str
    approve: bool
    id: Omittable[str] = UNSET
    reason: Omittable[str] = UNSET


class McpCall(Tagged, Struct, frozen=True, kw_only=True, tag="mcp_call"):
    """A call of an MCP tool; *arguments* is JSON text, `error` is an object or (older) a string."""

    name: str
    arguments: str
    server_label: str
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
    approval_request_id: str | None = None
    output: str | None = None
    error: str | JsonObject | None = None


class Program(Tagged, Struct, frozen=True, kw_only=True, tag="program"):
    """A program of the model's that calls tools by itself."""

    call_id: str
    code: str = ""
    fingerprint: str = ""
    id: Omittable[str] = UNSET


class ProgramOutput(Tagged, Struct, frozen=True, kw_only=True, tag="program_output"):
    call_id: str
    result: str
    id: Omittable[str] = UNSET
    status: Omittable[str] = UNSET
