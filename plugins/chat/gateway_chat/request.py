"""A Responses request, written as a Chat Completions body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.plugin import Call
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat
from gateway.types.request import Request
from gateway_chat.messages import write_messages
from gateway_chat.quirks import Quirks
from gateway_chat.support import LOGPROBS
from gateway_chat.tools import write_tools

__all__ = ["write_body"]

PASSED = ("temperature", "top_p")
_encode = msgspec.json.Encoder().encode


def write_body(call: Call, request: Request, quirks: Quirks) -> bytes:
    """Return the body that asks for a stream of the answer to `request` in place of the call's."""
    body: dict[str, Any] = {
        "model": call.model,
        "messages": write_messages(request, quirks),
        "stream": True,
    }
    if quirks.stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.max_output_tokens is not None:
        body[quirks.max_tokens_field] = request.max_output_tokens
    body |= _passed(request, quirks)
    body |= write_tools(request, quirks)
    body |= _response_format(request)
    body |= _reasoning(request, quirks)
    body |= _logprobs(request)
    return _encode(body | dict(quirks.extra_body))


def _passed(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the parameters that bear the same name and meaning on both sides."""
    members = {name: getattr(request, name, None) for name in (*PASSED, *quirks.passes)}
    if "verbosity" in quirks.passes and request.text:
        members["verbosity"] = request.text.verbosity or None
    return {name: value for name, value in members.items() if value is not None}


def _response_format(request: Request) -> Mapping[str, Any]:
    match request.text and request.text.format:
        case JsonSchemaFormat() as wanted:
            schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
            if wanted.description:
                schema["description"] = wanted.description
            if isinstance(wanted.strict, bool):
                schema["strict"] = wanted.strict
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        case JsonObjectFormat():
            return {"response_format": {"type": "json_object"}}
        case _:
            return {}


def _reasoning(request: Request, quirks: Quirks) -> Mapping[str, Any]:
    if not (request.reasoning and request.reasoning.effort):
        return {}
    effort = quirks.effort_map.get(request.reasoning.effort, request.reasoning.effort)
    match quirks.effort:
        case "reasoning_effort":
            return {"reasoning_effort": effort}
        case "reasoning":
            return {"reasoning": {"effort": effort}}
        case "thinking":
            return {"thinking": {"type": "disabled" if effort == "none" else "enabled"}}
        case "none":
            return {}


def _logprobs(request: Request) -> Mapping[str, Any]:
    if request.top_logprobs:
        return {"logprobs": True, "top_logprobs": request.top_logprobs}
    return {"logprobs": True} if LOGPROBS in (request.include or ()) else {}
