"""What was called of MCP servers, in the requests of every dialect that translates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.plugin import Call, Deployment
from gateway.plugin.dialect import native
from gateway.plugin.manager import Plugins
from gateway.testing.preparing import Prepared
from gateway.types.request import decode_request
from tests.vendors.judging import judge

Json = dict[str, Any]

PROVIDERS = Plugins().providers()
MODELS = {
    "openai_compatible": "some-model",
    "anthropic": "claude-opus-4-8",
    "gemini": "gemini-3-pro-preview",
    "gemini_interactions": "gemini-3-pro-preview",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
}
"""A model for each dialect that translates, by its provider."""

WIKI = {"server_label": "wiki", "arguments": "{}"}
USER: Json = {"role": "user", "content": "Hi"}
BROKEN = {"type": "mcp_protocol_error", "code": -32602, "message": "no JSON"}
APPROVED = {"type": "mcp_call", "id": "mcp_d", "approval_request_id": "mcpr_c"}
HISTORY: list[Json] = [
    USER,
    {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "wiki", "tools": []},
    {"type": "mcp_call", "id": "mcp_a", "name": "ask", **WIKI, "output": "yes"},
    {"type": "mcp_call", "id": "mcp_b", "name": "ask", **WIKI, "arguments": '{"', "error": BROKEN},
    {"type": "mcp_approval_request", "id": "mcpr_c", "name": "buy", **WIKI},
    {"type": "mcp_approval_response", "approval_request_id": "mcpr_c", "approve": True},
    {**APPROVED, "name": "buy", **WIKI, "output": "bought"},
    {"type": "mcp_call", "id": "mcp_e", "name": "ask", **WIKI, "output": "no"},
    {"role": "assistant", "content": "Done."},
    {"role": "user", "content": "Thank you."},
]
CALLS = ("call_a", "call_b", "call_c", "call_e")


def sent(name: str, items: list[Json], **members: Any) -> tuple[str, Json]:
    """Return the address and the body for `items` to the provider `name`."""
    provider, model = PROVIDERS[name], MODELS[name]
    assert not isinstance(provider.dialect, str)
    assert not native(provider.dialect)
    deployment = Deployment(
        alias="alias",
        provider=name,
        model=model,
        account="account",
        base_url="https://upstream.invalid",
        quirks=provider.quirks,
    )
    request = decode_request(json.dumps({"model": "alias", "input": items, **members}))
    call = Call(request=request, model=model, deployment=deployment)
    prepared = Prepared(provider.dialect, call)
    assert prepared.rejected == []
    encoded = prepared.encode()
    return encoded.url, json.loads(encoded.body)


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | list():
            for member in value.values() if isinstance(value, dict) else value:
                yield from strings(member)
        case _:
            pass


def test_no_dialect_is_forgotten() -> None:
    spoken = {provider.dialect for provider in PROVIDERS.values()}
    names = {one.name for one in spoken if not isinstance(one, str) and not native(one)}
    assert names == {getattr(PROVIDERS[name].dialect, "name", "") for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_calls_that_were_made_at_once_are_one_turn_of_the_model(name: str) -> None:
    address, body = sent(name, HISTORY)
    named = [text for text in strings(body) if text in CALLS]
    assert named == [*CALLS[:3], *CALLS[:3], "call_e", "call_e"]
    turns = body.get("messages") or body.get("contents") or ()
    told = [one for one in turns if one["role"] in ("assistant", "model")]
    assert len(told) == (3 if turns else 0)
    if name != "openai_compatible":
        judge(address, body)


@pytest.mark.parametrize("name", MODELS)
def test_what_came_of_the_calls_reaches_the_model(name: str) -> None:
    _, body = sent(name, HISTORY)
    told = ["yes", "The call failed: no JSON", "bought", "no"]
    assert [text for text in strings(body) if text in told] == told


@pytest.mark.parametrize("name", MODELS)
def test_a_request_that_waits_is_told_before_the_user_goes_on(name: str) -> None:
    address, body = sent(name, [*HISTORY[:5], USER])
    assert [text for text in strings(body) if text in CALLS] == [*CALLS[:3], *CALLS[:3]]
    assert "The user has not approved this call." in strings(body)
    if name != "openai_compatible":
        judge(address, body)


def test_a_call_in_a_carrier_goes_back_in_there_only() -> None:
    blocks = [
        {"type": "mcp_tool_use", "id": "mcp_e", "name": "ask", "server_name": "w", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcp_e", "content": []},
    ]
    carrier = {"type": "reasoning", "summary": [], "encrypted_content": json.dumps(blocks)}
    _, body = sent("anthropic", [USER, HISTORY[7], carrier, HISTORY[8], USER])
    assert body["messages"][1]["content"] == [*blocks, {"type": "text", "text": "Done."}]
