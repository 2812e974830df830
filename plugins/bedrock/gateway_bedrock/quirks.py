"""What differs between the models on Bedrock, by family; an unknown one is like the newest."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.plugin import Deployment
from gateway.types.parameters import ReasoningConfig
from gateway.types.request import Request

__all__ = ["Quirks", "effort_problem", "read_quirks", "write_effort"]

Json = dict[str, Any]


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model differs; an operator may set any of it for a deployment (see the README)."""

    effort: Literal[
        "adaptive", "budget", "nova", "reasoning_effort", "reasoning_config", "output", "none"
    ] = "output"
    samplers: bool = True
    one_call: bool = False
    cache: bool = False
    cache_points: tuple[Literal["system", "tools"], ...] = ()
    system_tools: bool = False
    citations: bool = False
    guardrail: Mapping[str, Any] = {}
    extra_body: Mapping[str, Any] = {}


_ANY: Mapping[str, Any] = {}
_CLAUDE = {"one_call": True, "cache": True}
_NOVA = {"cache": True, "system_tools": True}
_FAMILIES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    (r"claude-(instant|v\d|3-(?!7))", {**_CLAUDE, "effort": "none"}),
    (r"claude-(3-7|[a-z]+-4(?!-([6-9]|1\d)(?!\d)))", {**_CLAUDE, "effort": "budget"}),
    (r"claude-[a-z]+-4-6", {**_CLAUDE, "effort": "adaptive"}),
    (r"anthropic\.", {**_CLAUDE, "effort": "adaptive", "samplers": False}),
    (r"nova-[a-z]+-v1", {**_NOVA, "effort": "none"}),
    (r"amazon\.nova", {**_NOVA, "effort": "nova"}),
    (r"openai\.", {"effort": "reasoning_effort"}),
    (r"qwen\.", {"effort": "reasoning_config"}),
    (r"(ai21|amazon|cohere|meta|mistral)\.", {"effort": "none"}),
)
_BUDGETS = {
    **{"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768},
    "max": 65536,
}
"""Tokens to think with, for models that want a number."""
_LEAST = _BUDGETS["minimal"]
_CAN_REST = ("adaptive", "budget", "nova")


def read_quirks(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`; raises `ConfigError` if one is unknown or ill-typed."""
    known = (quirks for pattern, quirks in _FAMILIES if re.search(pattern, deployment.model))
    try:
        return msgspec.convert({**next(known, _ANY), **deployment.quirks}, Quirks)
    except msgspec.ValidationError as error:
        message = str(error)
        raise ConfigError(
            f"the quirks of {deployment.alias!r} cannot be used: {message[:1].lower()}{message[1:]}"
        ) from error


def effort_problem(effort: str, request: Request, quirks: Quirks) -> str | None:
    """Say why the model cannot be told `effort`, or None if it can."""
    if quirks.effort == "none":
        return "the model decides itself whether it thinks"
    if effort == "none":
        return None if quirks.effort in _CAN_REST else "the model cannot be kept from thinking"
    if effort not in _BUDGETS:
        return f"it is none of none, {', '.join(_BUDGETS)}"
    if quirks.effort == "budget" and _limit(request) <= _LEAST:
        return f"the model cannot think with {_LEAST} output tokens or less"
    return None


def write_effort(request: Request, quirks: Quirks) -> tuple[Json, Json]:
    """Return the model's own fields and those of `outputConfig` that ask for the effort."""
    wanted = request.reasoning or ReasoningConfig()
    effort, off = wanted.effort or "", wanted.effort == "none"
    if not (effort or (wanted.summary and quirks.effort == "adaptive")):
        return {}, {}
    level = effort.replace("minimal", "low")
    most = "high" if level in ("xhigh", "max") else level
    budget = min(_BUDGETS.get(effort, 0), _limit(request) - 1)
    shown = "summarized" if wanted.summary else "omitted"
    no: Json = {"type": "disabled"}
    fields: dict[str, Json] = {
        "adaptive": {"thinking": no if off else {"type": "adaptive", "display": shown}},
        "budget": {"thinking": no if off else {"type": "enabled", "budget_tokens": budget}},
        "nova": {"reasoningConfig": no if off else {"type": "enabled", "maxReasoningEffort": most}},
        "reasoning_effort": {"reasoning_effort": most},
        "reasoning_config": {"reasoning_config": "high" if most == "high" else "low"},
    }
    is_told = quirks.effort in ("adaptive", "output") and level and not off
    return fields.get(quirks.effort, {}), {"effort": level} if is_told else {}


def _limit(request: Request) -> int:
    return request.max_output_tokens or 2 * _BUDGETS["max"]
