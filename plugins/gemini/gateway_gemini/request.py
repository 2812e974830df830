"""A Responses request, written as the body of generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from gateway.plugin import Call
from gateway.plugin.bodies import refusing_depth
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat
from gateway.types.request import Request
from gateway_gemini.contents import write_conversation
from gateway_gemini.quirks import Quirks, quirks_of
from gateway_gemini.schema import write_schema
from gateway_gemini.tools import write_tools

__all__ = ["TIERS", "add_members", "write_body", "write_members"]

TIERS: Mapping[str, str] = {"flex": "flex", "priority": "priority", "fast": "priority"}
_LOGPROBS = "message.output_text.logprobs"


def write_body(call: Call) -> dict[str, Any]:
    """Return the body that asks for the answer to `call`.

    Raises `InvalidRequestError` for a request that Gemini could not take.
    """
    quirks = quirks_of(call.deployment)
    return add_members(write_members(call.request, quirks), quirks.extra_body)


@refusing_depth()
def write_members(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return all of the body but what the operator adds. Raises `InvalidRequestError`."""
    body = write_conversation(request, quirks) | write_tools(request, quirks)
    if generation := _generation(request, quirks):
        body["generationConfig"] = generation
    if tier := TIERS.get(request.service_tier or ""):
        body["serviceTier"] = tier
    if quirks.safety_settings:
        body["safetySettings"] = quirks.safety_settings
    return body


def add_members(body: dict[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` with `members`; objects are joined with what is there."""
    body = dict(body)
    for name, member in members.items():
        is_joined = isinstance(member, dict) and isinstance(body.get(name), dict)
        body[name] = {**body[name], **cast("dict[str, Any]", member)} if is_joined else member
    return body


def _generation(request: Request, quirks: Quirks) -> dict[str, Any]:
    is_told = _LOGPROBS in (request.include or ())
    members: dict[str, Any] = {
        "maxOutputTokens": request.max_output_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "responseLogprobs": is_told or bool(request.top_logprobs) or None,
        "logprobs": request.top_logprobs or None,
        "thinkingConfig": _thinking(request, quirks) or None,
        **_format(request),
    }
    return {name: value for name, value in members.items() if value is not None}


def _thinking(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return how hard to think, by level or by tokens, and whether to tell of it."""
    wanted = request.reasoning
    if wanted is None or not quirks.efforts:
        return {}
    members: dict[str, Any] = {}
    if (amount := quirks.efforts.get(wanted.effort or "")) is not None:
        members["thinkingLevel" if isinstance(amount, str) else "thinkingBudget"] = amount
    if wanted.summary or wanted.generate_summary:
        members["includeThoughts"] = True
    return members


def _format(request: Request) -> dict[str, Any]:
    match request.text and request.text.format:
        case JsonSchemaFormat() as wanted:
            schema = {"title": wanted.name, **write_schema(wanted.schema)}
            if wanted.description:
                schema.setdefault("description", wanted.description)
            return {"responseMimeType": "application/json", "responseJsonSchema": schema}
        case JsonObjectFormat():
            return {"responseMimeType": "application/json"}
        case _:
            return {}
