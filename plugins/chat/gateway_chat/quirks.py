"""What differs between servers of Chat Completions, as data: the options of a provider row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.plugin import Deployment

__all__ = ["Quirks", "read_quirks"]


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one server differs; the defaults suit a server of which nothing is known.

    An operator may set any of them in the configuration of a deployment.
    """

    root: str = ""
    """The path that the base URL must end in, added where it is missing."""
    developer_role: bool = False
    """It knows the role `developer`; else developers speak as `system`."""
    single_system: bool = False
    """Its chat template takes one system message, at the start: later ones become user text."""
    text_parts: bool = False
    """It takes text as a list of parts; else parts of text are joined by line feeds."""
    null_content: bool = True
    """An assistant message that only calls tools may have null content; else it has `""`."""
    images: Literal["any", "data", "none"] = "any"
    """It takes images by any URL, only by `data:` URL, or not at all."""
    files: tuple[Literal["data", "url", "id"], ...] = ()
    """The ways in which it takes files."""
    audio: bool = False
    """It takes `input_audio` parts."""

    tools: Literal["native", "constrained", "none"] = "native"
    """`constrained`: it knows no tools but keeps to JSON schemas (see constrained.py)."""
    strict_tools: bool = True
    """It accepts `strict` in a function."""
    tool_choice: tuple[Literal["required", "any", "named"], ...] = ("required", "named")
    """Which choices beyond auto and none it knows; `any` is Mistral's word for required."""
    parallel_tool_calls: bool = True
    """It knows the parameter of this name."""
    tool_images: bool = False
    """A tool message may hold images; else they follow in a user message."""
    tool_call_id_length: int = 0
    """If not 0: ids of calls in history must be exactly so many letters and digits."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    response_format: Literal["json_schema", "json_object", "text"] = "json_schema"
    """The most that its `response_format` can do."""
    logprobs: bool = True
    stream_options: bool = True
    """It knows `stream_options.include_usage`."""
    passes: tuple[str, ...] = ()
    """Optional parameters that it knows by the same name: `user`, `service_tier`, ..."""
    extra_body: Mapping[str, Any] = {}
    """Members to add to every request body."""

    effort: Literal["reasoning_effort", "reasoning", "thinking", "none"] = "reasoning_effort"
    """Where the effort goes; `thinking` is a switch that knows only on and off."""
    effort_map: Mapping[str, str] = {}
    """Its own words for efforts."""
    reasoning_out: Literal["none", "reasoning_content", "reasoning", "details", "thinking"] = "none"
    """How earlier reasoning goes back with the tool calls that followed it."""
    reasoning_required: bool = False
    """It refuses tool calls in history that come without reasoning, be it empty."""
    think_tags: Literal["none", "paired", "opened"] = "none"
    """Reasoning stands in the content between `<think>` tags; `opened`: without the first one."""


def read_quirks(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`; raises `ConfigError` if one is unknown or ill-typed."""
    try:
        return msgspec.convert(deployment.quirks, Quirks)
    except msgspec.ValidationError as error:
        message = str(error)
        raise ConfigError(
            f"the quirks of {deployment.alias!r} cannot be used: {message[:1].lower()}{message[1:]}"
        ) from error
