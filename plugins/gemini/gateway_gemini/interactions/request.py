"""A Responses request as the body of an interaction: what generateContent gets, in other words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.plugin import Call
from gateway_gemini.interactions.steps import write_steps
from gateway_gemini.quirks import quirks_of
from gateway_gemini.request import add_members, write_members

__all__ = ["write_interaction"]

Json = dict[str, Any]

_CAPITAL = re.compile(r"(?<=[a-z])[A-Z]")
_SAME = ("maxOutputTokens", "temperature", "topP")
_LEVELS = {"none": "minimal", "xhigh": "high", "max": "high"}
"""Efforts by the levels of models that generateContent gives a number of tokens."""


def write_interaction(call: Call) -> Json:
    """Return the body that asks for the answer to `call`.

    Raises `InvalidRequestError` for a request that Gemini could not take.
    """
    quirks = quirks_of(call.deployment)
    told = write_members(call.request, quirks)
    generation = told.get("generationConfig", {})
    body: Json = {
        "model": call.model.removeprefix("models/"),
        "stream": True,
        "store": False,
        "input": write_steps(told["contents"], signed=quirks.wants_signatures),
        "system_instruction": _text(told.get("systemInstruction")),
        "tools": [written for tool in told.get("tools", ()) for written in _tools(tool)],
        "generation_config": _generation(call, told, generation),
        "response_format": _format(generation),
        "service_tier": told.get("serviceTier"),
        "safety_settings": [*map(_setting, told.get("safetySettings", ()))],
    }
    filled = {name: member for name, member in body.items() if member not in (None, {}, [])}
    return add_members(filled, quirks.extra_body)


def _text(content: Json | None) -> str | None:
    return content["parts"][0]["text"] if content else None


def _tools(tool: Mapping[str, Any]) -> Iterator[Json]:
    """Write a tool of generateContent; one that is in the words of interactions stays as it is."""
    if "type" in tool:
        yield dict(tool)
        return
    for name, members in tool.items():
        if name == "functionDeclarations":
            yield from map(_function, members)
        else:
            written = {_snake(member): value for member, value in members.items()}
            if place := written.get("environment"):
                written["environment"] = place.removeprefix("ENVIRONMENT_").lower()
            yield {"type": _snake(name), **written}


def _function(declared: Json) -> Json:
    written = {"type": "function", "name": declared["name"], "description": declared["description"]}
    schema = declared.get("parametersJsonSchema")
    return {**written, "parameters": schema} if schema else written


def _generation(call: Call, told: Json, generation: Json) -> Json:
    written = {_snake(name): generation[name] for name in _SAME if name in generation}
    thinking = generation.get("thinkingConfig", {})
    if "thinkingLevel" in thinking:
        written["thinking_level"] = thinking["thinkingLevel"].lower()
    elif "thinkingBudget" in thinking and call.request.reasoning:
        effort = call.request.reasoning.effort or ""
        written["thinking_level"] = _LEVELS.get(effort, effort)
    if thinking.get("includeThoughts"):
        written["thinking_summaries"] = "auto"
    calling = told.get("toolConfig", {}).get("functionCallingConfig", {})
    if mode := calling.get("mode", "").lower():
        names = calling.get("allowedFunctionNames")
        choice = {"allowed_tools": {"mode": mode, "tools": names}} if names else mode
        written["tool_choice"] = choice
    return written


def _format(generation: Json) -> Json | None:
    if "responseMimeType" not in generation:
        return None
    written: Json = {"type": "text", "mime_type": generation["responseMimeType"]}
    schema = generation.get("responseJsonSchema")
    return {**written, "schema": schema} if schema else written


def _setting(setting: Mapping[str, str]) -> Json:
    """Write how readily Google blocks something, said in the words of either API."""
    category = setting.get("type") or setting.get("category", "").removeprefix("HARM_CATEGORY_")
    return {"type": category.lower(), "threshold": setting.get("threshold", "").lower()}


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda found: f"_{found[0]}", name).lower()
