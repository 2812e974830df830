"""What differs between the models on Bedrock, by family; an unknown one is like the newest."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.plugin import Deployment
from gateway.plugin.quirks import read_quirks
from gateway.types.parameters import ReasoningConfig
from gateway.types.request import Request
from gateway_bedrock.answer import Json

__all__ = ["Quirks", "effort_problem", "quirks_of", "write_effort"]


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model differs; an operator may set any of it for a deployment (see the README)."""

    effort: Literal[
        "adaptive", "budget", "nova", "reasoning_effort", "reasoning_config", "output", "none"
    ] = "output"
    samplers: bool = True
    one_call: bool = False
    cache: bool = False
    system_tools: bool = False
    citations: bool = False
    guardrail: Mapping[str, Any] = {}
    extra_body: Mapping[str, Any] = {}


_CLAUDE = {"one_call": True, "cache": True}
_NOVA = {"cache": True, "system_tools": True}
_FAMILIES: Mapping[str, Mapping[str, Any]] = {
    r"claude-(instant|v\d|3-(?!7))": {**_CLAUDE, "effort": "none"},
    r"claude-(3-7|[a-z]+-4(?!-([6-9]|1\d)(?!\d)))": {**_CLAUDE, "effort": "budget"},
    r"claude-[a-z]+-4-6": {**_CLAUDE, "effort": "adaptive"},
    r"anthropic\.": {**_CLAUDE, "effort": "adaptive", "samplers": False},
    r"nova-[a-z]+-v1": {**_NOVA, "effort": "none"},
    r"amazon\.nova": {**_NOVA, "effort": "nova"},
    r"openai\.": {"effort": "reasoning_effort"},
    r"qwen\.": {"effort": "reasoning_config"},
    r"(ai21|amazon|cohere|meta|mistral)\.": {"effort": "none"},
    r"": {},
}
"""What is known of models by patterns of their names, the first of which counts."""

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}
_MOST = 65536  # tokens to think with, for "max"
_LEAST = 1024


def quirks_of(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`; raises `ConfigError` if one is unknown or ill-typed."""
    known = (row for pattern, row in _FAMILIES.items() if re.search(pattern, deployment.model))
    return read_quirks(deployment, Quirks, next(known))


def effort_problem(request: Request, quirks: Quirks) -> str:
    """Say why the model cannot be told the effort of `request`; nothing if it can."""
    effort = (request.reasoning and request.reasoning.effort) or ""
    if effort and quirks.effort == "none":
        return "the model decides itself whether it thinks"
    if effort == "none" and quirks.effort not in ("adaptive", "budget", "nova"):
        return "the model cannot be kept from thinking"
    if effort not in ("", *_BUDGETS, "max", "none"):
        return "there is no such effort"
    if effort and quirks.effort == "budget" and (request.max_output_tokens or _MOST) <= _LEAST:
        return f"the model cannot think with {_LEAST} output tokens or less"
    return ""


def write_effort(request: Request, quirks: Quirks) -> tuple[Json, Json]:
    """Return the model's own fields and those of `outputConfig` that ask for the effort."""
    wanted = request.reasoning or ReasoningConfig()
    level, off = (wanted.effort or "").replace("minimal", "low"), wanted.effort == "none"
    if not (level or (wanted.summary and quirks.effort == "adaptive")):
        return {}, {}
    most = "high" if level in ("xhigh", "max") else level
    room = (request.max_output_tokens or _MOST + 1) - 1
    budget = min(_BUDGETS.get(wanted.effort or "", _MOST), room)
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
