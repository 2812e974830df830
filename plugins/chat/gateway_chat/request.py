"""A Responses request, written as a Chat Completions body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.errors import InvalidRequestError
from gateway.plugin import Call
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat
from gateway.types.request import Request
from gateway_chat.effort import write_effort
from gateway_chat.messages import write_messages
from gateway_chat.quirks import Quirks
from gateway_chat.tools import write_tools
from gateway_chat.web_search import write_search_options

__all__ = ["LOGPROBS", "write_body"]

LOGPROBS = "message.output_text.logprobs"

_SAME = ("temperature", "top_p")
_encode = msgspec.json.Encoder().encode


def write_body(call: Call, request: Request, quirks: Quirks) -> bytes:
    """Return the body that asks for a stream of the answer to `request` in place of the call's.

    Raises `InvalidRequestError` for a request that no server could take.
    """
    body: dict[str, Any] = {
        "model": call.model,
        "messages": write_messages(_instructed(request, quirks), quirks),
        "stream": True,
    }
    if quirks.stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.max_output_tokens is not None:
        body[quirks.max_tokens_field] = request.max_output_tokens
    body |= _passed(request, quirks)
    body |= write_tools(request, quirks)
    body |= write_search_options(request, quirks)
    body |= _response_format(request, quirks)
    body |= write_effort(request, quirks)
    body |= _logprobs(request)
    try:
        return _encode(body | dict(quirks.extra_body))
    except RecursionError as error:
        raise InvalidRequestError("the request is nested too deeply") from error


def _passed(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the parameters that bear the same name and meaning on both sides."""
    members = {name: getattr(request, name, None) for name in (*_SAME, *quirks.passes)}
    if "verbosity" in quirks.passes and request.text:
        members["verbosity"] = request.text.verbosity or None
    return {name: value for name, value in members.items() if value is not None}


def _instructed(request: Request, quirks: Quirks) -> Request:
    """Return `request` with the wanted schema in its instructions, if it can stand nowhere else."""
    match request.text and request.text.format:
        case JsonSchemaFormat() as wanted if quirks.response_format != "json_schema":
            schema = _encode(wanted.schema).decode()
            order = f"Answer with JSON that follows this schema, and nothing else:\n{schema}"
            texts = [text for text in (request.instructions, wanted.description, order) if text]
            return msgspec.structs.replace(request, instructions="\n\n".join(texts))
        case _:
            return request


def _response_format(request: Request, quirks: Quirks) -> Mapping[str, Any]:
    match request.text and request.text.format:
        case JsonSchemaFormat() as wanted if quirks.response_format == "json_schema":
            schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
            if wanted.description:
                schema["description"] = wanted.description
            if isinstance(wanted.strict, bool):
                schema["strict"] = wanted.strict
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        case JsonSchemaFormat() | JsonObjectFormat() if quirks.response_format != "text":
            return {"response_format": {"type": "json_object"}}
        case _:
            return {}


def _logprobs(request: Request) -> Mapping[str, Any]:
    if request.top_logprobs:
        return {"logprobs": True, "top_logprobs": request.top_logprobs}
    return {"logprobs": True} if LOGPROBS in (request.include or ()) else {}
