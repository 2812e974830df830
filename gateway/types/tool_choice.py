"""How the model may choose among the tools of a request."""

from typing import TYPE_CHECKING, Any, Literal

from msgspec import UNSET, Struct

from gateway.types.open import Unknown, open_union
from gateway.types.wire import Omittable, Tagged, Wire

__all__ = [
    "AllowedToolsChoice",
    "ApplyPatchChoice",
    "CustomChoice",
    "FunctionChoice",
    "HostedChoice",
    "McpChoice",
    "ProgrammaticChoice",
    "ShellChoice",
    "ToolChoice",
]

HOSTED_TYPES = (
    "file_search",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "computer",
    "computer_use",
    "computer_use_preview",
    "image_generation",
    "code_interpreter",
)


class FunctionChoice(Tagged, Struct, frozen=True, kw_only=True, tag="function"):
    name: str


class CustomChoice(Tagged, Struct, frozen=True, kw_only=True, tag="custom"):
    name: str


class McpChoice(Tagged, Struct, frozen=True, kw_only=True, tag="mcp"):
    server_label: str
    name: Omittable[str] = UNSET


class AllowedToolsChoice(Tagged, Struct, frozen=True, kw_only=True, tag="allowed_tools"):
    """Restricts the choice to some of the tools, each named as a tool choice would name it."""

    mode: Literal["auto", "required"]
    tools: tuple[dict[str, Any], ...]


class ProgrammaticChoice(
    Tagged, Struct, frozen=True, kw_only=True, tag="programmatic_tool_calling"
):
    pass


class ApplyPatchChoice(Tagged, Struct, frozen=True, kw_only=True, tag="apply_patch"):
    pass


class ShellChoice(Tagged, Struct, frozen=True, kw_only=True, tag="shell"):
    pass


class HostedChoice(Wire, Struct, frozen=True, kw_only=True):
    """A hosted tool, chosen by its type alone."""

    type: str


if TYPE_CHECKING:
    ToolChoice = (
        Literal["none", "auto", "required"]
        | FunctionChoice
        | CustomChoice
        | McpChoice
        | AllowedToolsChoice
        | ProgrammaticChoice
        | ApplyPatchChoice
        | ShellChoice
        | HostedChoice
        | Unknown
    )
else:
    ToolChoice = open_union(
        "ToolChoice",
        FunctionChoice,
        CustomChoice,
        McpChoice,
        AllowedToolsChoice,
        ProgrammaticChoice,
        ApplyPatchChoice,
        ShellChoice,
        literals=("none", "auto", "required"),
        aliases=dict.fromkeys(HOSTED_TYPES, HostedChoice),
    )
