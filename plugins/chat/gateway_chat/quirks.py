"""What differs between servers of Chat Completions, as data: the options of a provider row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.plugin import Deployment
from gateway.plugin.quirks import read_quirks

__all__ = ["Quirks", "quirks_of"]


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one server differs; the defaults suit a server of which nothing is known.

    An operator may set any of them in the configuration of a deployment.
    """

    root: str = ""
    """The path that the base URL must end in, added where it is missing."""
    port: int = 0
    """If not 0: the port of an address that names neither a scheme nor a port."""

    system_role: bool = True
    """It knows the role `system`; else such text is the user's, between `<system>` tags."""
    developer_role: bool = False
    """It knows the role `developer`; else developers speak as `system`."""
    single_system: bool = False
    """Its chat template takes one system message, at the start: later ones become user text."""
    alternating: bool = False
    """It refuses two messages of the user in a row: they are joined."""
    user_after_tool: bool = True
    """A user may speak right after a tool; else the assistant says OK in between."""
    text_parts: bool = False
    """It takes text as a list of parts; else parts of text are joined by line feeds."""
    null_content: bool = True
    """An assistant message that only calls tools may have null content; else it has `""`."""
    refusals: bool = False
    """It takes earlier refusals as such; else they are text."""
    images: Literal["any", "data", "none"] = "any"
    """It takes images by any URL, only by `data:` URL, or not at all."""
    files: tuple[Literal["data", "url", "id"], ...] = ()
    """The ways in which it takes files."""
    file_part: Literal["file", "document_url", "file_url"] = "file"
    """Which part holds a file: OpenAI's, Mistral's, or Perplexity's (bare base64 for data)."""
    audio: Literal["none", "object", "string"] = "none"
    """What `input_audio` holds: data and format, as at OpenAI, or the base64 text alone."""

    tools: Literal["native", "constrained", "none"] = "native"
    """`constrained`: it knows no tools but keeps to JSON schemas (see constrained.py)."""
    custom_tools: Literal["lowered", "native"] = "lowered"
    """It knows tools with free text as input; else the gateway makes functions of them."""
    strict_tools: bool = True
    """It accepts `strict` in a function."""
    tool_choice: tuple[Literal["none", "required", "any", "named", "allowed"], ...] = (
        "none",
        "required",
        "named",
    )
    """Which choices beyond auto it knows; `any` is Mistral's word for required. Without `none` no
    tools are offered, without `allowed` only those that are."""
    forcing_stops_thinking: bool = False
    """It cannot think when it is made to call a tool, so thinking is switched off."""
    parallel_tool_calls: bool = True
    """It knows the parameter of this name."""
    tool_images: bool = False
    """A tool message may hold images and files; else they follow in a user message."""
    tool_call_id_pattern: str = ""
    """If not empty: what ids of calls in history must look like; others are replaced."""
    tool_name_pattern: str = ""
    """If not empty: what names of tools must look like."""
    max_tools: int = 0
    """If not 0: how many tools it takes."""
    web_search: Literal["none", "openai", "perplexity", "openrouter"] = "none"
    """Whose way to ask for a search of the web it knows: `web_search_options` in two spellings, or
    OpenRouter's tool."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    response_format: Literal["json_schema", "json_object", "text"] = "json_schema"
    """The most that its `response_format` can do."""
    schema_in_system: bool = False
    """Where `response_format` takes no schema: ask for it in the system text, promising nothing."""
    logprobs: bool = True
    stream_options: bool = True
    """It knows `stream_options.include_usage`."""
    passes: tuple[str, ...] = ()
    """Optional parameters that it knows by the same name: `user`, `service_tier`, ..."""
    drops: tuple[str, ...] = ()
    """Parameters that it refuses and that are left out: `temperature`, `top_p`, ..."""
    extra_body: Mapping[str, Any] = {}
    """Members to add to every request body."""

    effort: Literal[
        "reasoning_effort",
        "reasoning",
        "thinking",
        "thinking_effort",
        "enable_thinking",
        "chat_template_kwargs",
        "prompt_mode",
        "none",
    ] = "reasoning_effort"
    """Where the effort goes. `thinking_effort` is the switch `thinking` with `reasoning_effort`;
    the others after it are switches, too, that know only on and off."""
    effort_map: Mapping[str, str] = {}
    """Its own words for efforts."""
    effort_extra: Mapping[str, Any] = {}
    """Members to add to the body wherever an effort is asked for."""
    reasoning_out: Literal[
        "none", "reasoning_content", "reasoning", "details", "thinking", "signatures", "tags"
    ] = "none"
    """How earlier reasoning goes back: as a field, as OpenRouter's details, as Mistral's part, as
    Gemini's signatures of calls, or between `<think>` tags."""
    reasoning_required: bool = False
    """It refuses tool calls in history that come without reasoning, be it empty."""
    think_tags: Literal["none", "paired", "opened"] = "none"
    """Reasoning stands in the content between `<think>` tags; `opened`: without the first one."""


def quirks_of(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`; raises `ConfigError` if one is unknown or ill-typed."""
    return read_quirks(deployment, Quirks)
