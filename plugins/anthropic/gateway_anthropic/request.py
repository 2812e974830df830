"""A Responses request, written as a request of the Messages API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.plugin import Call, UpstreamRequest
from gateway.plugin.bodies import refusing_depth
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat
from gateway.types.request import Request
from gateway_anthropic.carriers import Block
from gateway_anthropic.effort import write_effort, write_thinking
from gateway_anthropic.messages import Transcript
from gateway_anthropic.parts import cache_control
from gateway_anthropic.quirks import quirks_of
from gateway_anthropic.schema import strict_schema
from gateway_anthropic.tools import write_tools

__all__ = ["TIERS", "continue_request", "count_request", "write_cache", "write_request"]

_SAMPLERS = ("temperature", "top_p")
TIERS = {
    "auto": {"service_tier": "auto"},
    "default": {"service_tier": "standard_only"},
    "priority": {"service_tier": "auto"},
    "fast": {"speed": "fast"},
}
_NOT_COUNTED = ("max_tokens", "stream", "metadata", "service_tier", "container", *_SAMPLERS)
_SERVER_TOOLS = ("web_search", "web_fetch", "code_execution")
_encode = msgspec.json.Encoder().encode


@refusing_depth()
def write_request(call: Call) -> UpstreamRequest:
    """Return the request that asks for a stream of the answer to `call`.

    Raises `InvalidRequestError` for one that no model could take.
    """
    return _send(call, _body(call), "/v1/messages")


@refusing_depth()
def continue_request(call: Call, blocks: Sequence[Block], container: str | None) -> UpstreamRequest:
    """Return the request that goes on after the assistant has paused having said `blocks`, all of
    them since the request of `call`, in the container whose id is `container`.
    """
    body = _body(call)
    body["messages"].append({"role": "assistant", "content": blocks})
    body |= {"container": container} if container else {}
    return _send(call, body, "/v1/messages")


@refusing_depth()
def count_request(call: Call) -> UpstreamRequest:
    """Return the question how many input tokens `call` has; tools of the vendor's do not count."""
    body = {name: value for name, value in _body(call).items() if name not in _NOT_COUNTED}
    if "tools" in body:
        body["tools"] = [tool for tool in body["tools"] if tool.get("name") not in _SERVER_TOOLS]
    if not body.get("tools") or body.get("tool_choice", {}).get("name") in _SERVER_TOOLS:
        body.pop("tool_choice", None)
    return _send(call, body, "/v1/messages/count_tokens")


def write_cache(request: Request) -> dict[str, Any] | None:
    """Return the mark that has Anthropic find out itself what to keep."""
    options = request.prompt_cache_options or {}
    if options.get("mode") == "implicit" or (request.prompt_cache_retention and not options):
        return cache_control(options.get("ttl", request.prompt_cache_retention))
    return None


def _send(call: Call, body: dict[str, Any], path: str) -> UpstreamRequest:
    quirks = quirks_of(call.deployment)
    samples = any(name in body for name in _SAMPLERS)
    version = quirks.version or ("2023-06-01" if samples else "2026-10-21")
    headers = {"content-type": "application/json", "anthropic-version": version}
    betas = [*quirks.betas, *(["fast-mode-2026-02-01"] if body.get("speed") == "fast" else [])]
    if betas:
        headers["anthropic-beta"] = ",".join(betas)
    address = call.deployment.base_url.rstrip("/").removesuffix("/messages").removesuffix("/v1")
    return UpstreamRequest(url=f"{address}{path}", headers=headers, body=_encode(body))


def _body(call: Call) -> dict[str, Any]:
    request, quirks = call.request, quirks_of(call.deployment)
    transcript = Transcript(request, quirks)
    thinking = write_thinking(request, quirks)
    if thinking.get("type") == "enabled" and _has_forgotten(transcript.messages):
        thinking = {}
    asked, wanted = _write_format(request)
    output = {"effort": write_effort(request, quirks), "format": wanted}
    user = request.safety_identifier or request.user
    body: dict[str, Any] = {
        "model": call.model,
        "max_tokens": request.max_output_tokens or quirks.max_tokens,
        "messages": transcript.messages,
        "system": transcript.system + asked,
        "stream": True,
        "thinking": thinking,
        "output_config": {name: value for name, value in output.items() if value},
        "metadata": {"user_id": user} if user else {},
        "cache_control": write_cache(request),
        **write_tools(request, quirks),
        **TIERS.get(request.service_tier or "", {}),
    }
    if quirks.samplers:
        body |= {name: getattr(request, name) for name in _SAMPLERS}
    return {name: value for name, value in body.items() if value not in (None, {}, [])}


def _write_format(request: Request) -> tuple[list[Block], dict[str, Any]]:
    """Return what to add to the system text, and the format that the answer is held to."""
    match request.text and request.text.format:
        case JsonObjectFormat():
            return [{"type": "text", "text": "Answer with one JSON object and nothing else."}], {}
        case JsonSchemaFormat() as wanted:
            told = {"title": wanted.name, "description": wanted.description}
            schema = {name: text for name, text in told.items() if text} | wanted.schema
            return [], {"type": "json_schema", "schema": strict_schema(schema)}
        case _:
            return [], {}


def _has_forgotten(messages: Sequence[dict[str, Any]]) -> bool:
    """Say whether the turn under way calls tools without the thoughts that led to them: models
    that think with a budget refuse that, unless they do not think at all.
    """
    said = [message["content"] for message in messages if message["role"] == "assistant"]
    results = any(block["type"] == "tool_result" for block in messages[-1]["content"])
    return bool(results and said) and said[-1][0]["type"] not in ("thinking", "redacted_thinking")
