"""The body of GET /v1/models, which satisfies OpenAI's clients (`data`) and Codex (`models`)."""

from msgspec import Struct

from gateway.types.wire import Wire

__all__ = ["CatalogModel", "Model", "ModelList", "ReasoningLevel", "TruncationPolicy"]


class Model(Wire, Struct, frozen=True, kw_only=True):
    """A name that clients may ask for; `created` in seconds since the epoch."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = "gateway"


class ReasoningLevel(Struct, frozen=True, kw_only=True):
    effort: str
    description: str = ""


class TruncationPolicy(Struct, frozen=True, kw_only=True):
    """How much of a tool's output Codex keeps: *limit* in `mode` "bytes" or "tokens"."""

    mode: str = "bytes"
    limit: int = 10_000


class CatalogModel(Struct, frozen=True, kw_only=True):
    """A model as Codex wants to know it."""

    slug: str
    display_name: str
    description: str | None = None
    default_reasoning_level: str | None = None
    supported_reasoning_levels: tuple[ReasoningLevel, ...] = ()
    shell_type: str = "shell_command"
    visibility: str = "list"
    supported_in_api: bool = True
    priority: int = 0
    base_instructions: str = ""
    supports_reasoning_summaries: bool = False
    support_verbosity: bool = False
    default_verbosity: str | None = None
    apply_patch_tool_type: str | None = None
    truncation_policy: TruncationPolicy = TruncationPolicy()
    supports_parallel_tool_calls: bool = True
    context_window: int | None = None
    experimental_supported_tools: tuple[str, ...] = ()


class ModelList(Wire, Struct, frozen=True, kw_only=True):
    object: str = "list"
    data: tuple[Model, ...] = ()
    models: tuple[CatalogModel, ...] = ()
