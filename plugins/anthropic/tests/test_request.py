"""A Responses request is written as Anthropic wants it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import ConfigError, InvalidRequestError, UpstreamProtocolError
from gateway.plugin import UpstreamRequest
from gateway.testing.preparing import Prepared
from gateway_anthropic import AnthropicDialect
from gateway_anthropic.request import continue_request, count_request

Encode = Callable[..., dict[str, Any]]
Judge = Callable[..., dict[str, str]]

HAIKU = "claude-haiku-4-5-20251001"
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
CODE = {"type": "code_interpreter", "container": {"type": "auto"}}


def test_a_string_is_one_message_of_the_user(encode: Encode) -> None:
    body = encode({"input": "Hello", "instructions": "Be brief."})
    assert body == {
        "model": "claude-opus-4-8",
        "max_tokens": 128_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "system": [{"type": "text", "text": "Be brief."}],
        "stream": True,
    }


@pytest.mark.parametrize(
    "base_url",
    ["https://a.test", "https://a.test/", "https://a.test/v1", "https://a.test/v1/messages"],
)
def test_the_address_may_be_written_in_any_length(
    base_url: str, prepare: Callable[..., Prepared]
) -> None:
    call = prepare({}).call
    deployment = msgspec.structs.replace(call.deployment, base_url=base_url)
    call = msgspec.structs.replace(call, deployment=deployment)
    assert count_request(call).url == "https://a.test/v1/messages/count_tokens"


def test_samplers_go_with_the_version_that_knows_them(
    send: Callable[..., UpstreamRequest],
) -> None:
    assert send({}).headers["anthropic-version"] == "2026-10-21"
    older = send({"temperature": 0.5}, model="claude-opus-4-6")
    assert older.headers["anthropic-version"] == "2023-06-01"
    assert msgspec.json.decode(older.body)["temperature"] == 0.5
    assert send({}, version="2023-06-01").headers["anthropic-version"] == "2023-06-01"


def test_samplers_are_refused_for_models_without_them(judge: Judge, encode: Encode) -> None:
    assert judge({"temperature": 0.5, "top_p": 0.5}) == {"temperature": "reject", "top_p": "reject"}
    assert "temperature" not in encode({"temperature": 1, "top_p": 1})


def test_a_model_that_samples_takes_one_of_two_and_none_while_it_thinks(judge: Judge) -> None:
    assert judge({"temperature": 0.5, "top_p": 0.5}, model=HAIKU) == {"top_p": "drop"}
    assert judge({"temperature": 1.5}, model=HAIKU) == {"temperature": "reject"}
    thinking = {"temperature": 0.5, "reasoning": {"effort": "low"}}
    assert judge(thinking, model=HAIKU) == {"temperature": "drop"}


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "sent"),
    [
        ("claude-opus-5-5", None, None, None),
        ("claude-opus-5-5", "minimal", {"type": "adaptive", "display": "omitted"}, "low"),
        ("claude-opus-5-5", "xhigh", {"type": "adaptive", "display": "omitted"}, "xhigh"),
        ("claude-opus-4-8", "none", {"type": "disabled"}, None),
        ("claude-opus-4-6", "xhigh", {"type": "adaptive", "display": "omitted"}, "high"),
        ("claude-opus-4-6", "max", {"type": "adaptive", "display": "omitted"}, "max"),
        ("claude-nova-9", "max", {"type": "adaptive", "display": "omitted"}, "max"),
        (HAIKU, "minimal", {"type": "enabled", "budget_tokens": 1024}, None),
        (HAIKU, "high", {"type": "enabled", "budget_tokens": 16_384}, None),
        (HAIKU, "max", {"type": "enabled", "budget_tokens": 48_000}, None),
        (HAIKU, "none", None, None),
        ("claude-3-7-sonnet-20250219", "low", {"type": "enabled", "budget_tokens": 2048}, None),
    ],
)
def test_the_effort_is_said_as_the_model_knows_it(
    model: str, effort: str | None, thinking: Any, sent: str | None, encode: Encode
) -> None:
    body = encode({"reasoning": {"effort": effort}}, model=model)
    assert body.get("thinking") == thinking
    assert body.get("output_config") == (sent and {"effort": sent})


def test_a_summary_is_shown_if_it_is_asked_for(encode: Encode) -> None:
    body = encode({"reasoning": {"effort": "low", "summary": "auto"}})
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("request_", "model", "verdicts"),
    [
        ({"reasoning": {"effort": "none"}}, "claude-fable-5", {"reasoning.effort": "reject"}),
        ({"reasoning": {"effort": "none"}}, "claude-opus-5-5", {"reasoning.effort": "reject"}),
        ({"reasoning": {"effort": "much"}}, HAIKU, {"reasoning.effort": "reject"}),
        ({"reasoning": {"effort": "low"}}, "claude-3-haiku-20240307", {"reasoning.effort": "drop"}),
        ({"reasoning": {"summary": "detailed"}}, HAIKU, {"reasoning.summary": "drop"}),
        (
            {"reasoning": {"effort": "low"}, "max_output_tokens": 500},
            HAIKU,
            {"reasoning.effort": "drop"},
        ),
        (
            {"reasoning": {"effort": "low"}, "tools": [LOOK], "tool_choice": "required"},
            HAIKU,
            {"tool_choice": "reject"},
        ),
        ({"tools": [LOOK], "tool_choice": "required"}, "claude-fable-5", {"tool_choice": "reject"}),
        ({"tools": [LOOK], "tool_choice": LOOK}, "claude-opus-5-5", {"tool_choice": "reject"}),
        ({"tools": [{"type": "computer"}]}, HAIKU, {"tools[0].type": "reject"}),
        ({"service_tier": "flex"}, HAIKU, {"service_tier": "reject"}),
        ({"max_tool_calls": 2, "tools": [CODE]}, HAIKU, {"max_tool_calls": "drop"}),
        (
            {"tools": [{**CODE, "container": {"type": "auto", "file_ids": ["f"]}}]},
            HAIKU,
            {"tools[0].container.file_ids": "reject"},
        ),
        (
            {"tools": [{"type": "web_search", "search_context_size": "low"}]},
            HAIKU,
            {"tools[0].search_context_size": "drop"},
        ),
        (
            {"tools": [{"type": "web_search", "external_web_access": False}]},
            HAIKU,
            {"tools[0].external_web_access": "reject"},
        ),
        ({"tools": [{**LOOK, "strict": True}]}, "claude-3-haiku", {"tools[0].strict": "drop"}),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}},
            "claude-3-haiku",
            {"text.format.type": "reject"},
        ),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, HAIKU, {"tools[0].type": "reject"}),
        (
            {"tools": [LOOK, {"type": "computer"}], "tool_choice": {"type": "computer"}},
            "claude-opus-5",
            {"tool_choice": "reject"},
        ),
    ],
)
def test_what_cannot_be_honoured_is_named(
    request_: dict[str, Any], model: str, verdicts: dict[str, str], judge: Judge
) -> None:
    assert judge(request_, model=model) == verdicts


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ({"type": "function", "name": "look"}, True, {"type": "tool", "name": "look"}),
        ({"type": "web_search_preview"}, None, {"type": "tool", "name": "web_search"}),
        ({"type": "code_interpreter"}, None, {"type": "tool", "name": "code_execution"}),
    ],
)
def test_the_choice_of_tools_is_said_in_other_words(
    choice: Any, parallel: bool | None, sent: Any, encode: Encode
) -> None:
    tools = [LOOK, {"type": "web_search_preview"}, CODE]
    body = encode({"tools": tools, "tool_choice": choice, "parallel_tool_calls": parallel})
    assert body.get("tool_choice") == sent


def test_only_what_is_allowed_is_offered(encode: Encode) -> None:
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}
    body = encode({"tools": [LOOK, {"type": "web_search"}], "tool_choice": allowed})
    assert [tool["name"] for tool in body["tools"]] == ["web_search"]
    assert body["tool_choice"] == {"type": "any"}


def test_a_choice_of_what_is_not_there_is_refused(encode: Encode) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        encode({"tools": [LOOK], "tool_choice": {"type": "function", "name": "hear"}})
    assert caught.value.param == "tool_choice"


def test_searches_are_limited_and_placed(encode: Encode) -> None:
    search = {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.test"]},
        "user_location": {"type": "approximate", "city": "Oslo", "country": None},
    }
    body = encode({"tools": [search], "max_tool_calls": 2}, web_fetch=True)
    assert body["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["a.test"],
            "user_location": {"type": "approximate", "city": "Oslo"},
            "max_uses": 2,
        },
        {"type": "web_fetch_20250910", "name": "web_fetch"},
    ]


def test_code_runs_on_in_the_container_of_the_turn_before(encode: Encode) -> None:
    ran = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "container_1"}
    theirs = {**ran, "container_id": "cntr_1"}
    earlier = {**ran, "container_id": "container_0"}
    history = [{"role": "user", "content": "Go on."}, earlier, ran, theirs]
    assert encode({"tools": [CODE], "input": history})["container"] == "container_1"
    assert encode({"tools": [{**CODE, "container": "container_2"}]})["container"] == "container_2"
    assert "container" not in encode({"input": history})


@pytest.mark.parametrize(
    ("tier", "sent"),
    [
        ("auto", {"service_tier": "auto"}),
        ("default", {"service_tier": "standard_only"}),
        ("priority", {"service_tier": "auto"}),
        ("fast", {"speed": "fast"}),
    ],
)
def test_a_service_tier_has_another_name(
    tier: str, sent: dict[str, str], send: Callable[..., UpstreamRequest]
) -> None:
    request = send({"service_tier": tier}, betas=["some-beta"])
    body = msgspec.json.decode(request.body)
    assert {name: body[name] for name in ("service_tier", "speed") if name in body} == sent
    fast = ",fast-mode-2026-02-01" if tier == "fast" else ""
    assert request.headers["anthropic-beta"] == f"some-beta{fast}"


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"prompt_cache_options": {"mode": "implicit"}}, {"type": "ephemeral"}),
        (
            {"prompt_cache_options": {"mode": "implicit", "ttl": "30m"}},
            {"type": "ephemeral", "ttl": "1h"},
        ),
        ({"prompt_cache_options": {"mode": "explicit"}, "prompt_cache_retention": "24h"}, None),
        ({"prompt_cache_retention": "24h"}, {"type": "ephemeral", "ttl": "1h"}),
        ({"prompt_cache_retention": "in_memory"}, {"type": "ephemeral"}),
    ],
)
def test_the_prompt_cache_is_asked_for(asked: dict[str, Any], sent: Any, encode: Encode) -> None:
    assert encode(asked).get("cache_control") == sent


def test_of_too_many_breakpoints_the_last_are_kept(encode: Encode, judge: Judge) -> None:
    part = {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
    request: dict[str, Any] = {"input": [{"role": "user", "content": [part] * 5}]}
    assert judge(request) == {"input[0].content[0].prompt_cache_breakpoint": "drop"}
    marked = ["cache_control" in block for block in encode(request)["messages"][0]["content"]]
    assert marked == [False, True, True, True, True]
    request["prompt_cache_options"] = {"mode": "implicit"}  # which is one more
    marked = ["cache_control" in block for block in encode(request)["messages"][0]["content"]]
    assert marked == [False, False, True, True, True]


def test_a_schema_is_sent_without_what_the_decoder_refuses(encode: Encode) -> None:
    schema = {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0, "description": "In years."},
            "one": {"oneOf": [{"type": "string", "format": "email"}, {"$ref": "#/$defs/a"}]},
            "many": {"type": "array", "minItems": 3, "items": {"type": "string", "format": "x"}},
            "minimum": {"$ref": "#/$defs/a", "description": "lost beside a reference"},
        },
        "$defs": {"a": {"type": "object", "additionalProperties": {"type": "string"}}},
    }
    body = encode({"text": {"format": {"type": "json_schema", "name": "who", "schema": schema}}})
    assert body["output_config"]["format"]["schema"] == {
        "title": "who",
        "type": "object",
        "properties": {
            "age": {"type": "integer", "description": "In years.\nminimum: 0"},
            "one": {"anyOf": [{"type": "string", "format": "email"}, {"$ref": "#/$defs/a"}]},
            "many": {
                "type": "array",
                "items": {"type": "string", "description": 'format: "x"'},
                "description": "minItems: 3",
            },
            "minimum": {"$ref": "#/$defs/a"},
        },
        "$defs": {
            "a": {
                "type": "object",
                "description": 'additionalProperties: {"type":"string"}',
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
    }


def test_a_schema_that_is_nested_too_deeply_is_refused(encode: Encode) -> None:
    schema: dict[str, Any] = {}
    for _ in range(600):
        schema = {"items": schema}
    with pytest.raises(InvalidRequestError, match="too deeply"):
        encode({"tools": [{**LOOK, "parameters": schema, "strict": True}]})


def test_who_asks_is_told(encode: Encode) -> None:
    assert encode({"safety_identifier": "me", "user": "x"})["metadata"] == {"user_id": "me"}
    assert encode({"user": "x"})["metadata"] == {"user_id": "x"}


def test_a_paused_turn_goes_on_with_what_was_said(prepare: Callable[..., Prepared]) -> None:
    call = prepare({"tools": [CODE]}).call
    said = [{"type": "server_tool_use", "id": "s1", "name": "code_execution", "input": {}}]
    request = continue_request(call, said, "container_1")
    body = msgspec.json.decode(request.body)
    assert body["messages"][-1] == {"role": "assistant", "content": said}
    assert body["container"] == "container_1"
    assert "container" not in msgspec.json.decode(continue_request(call, said, None).body)


def test_tokens_are_counted_without_what_only_the_vendor_runs(
    prepare: Callable[..., Prepared],
) -> None:
    search = {"type": "web_search"}
    request = {"tools": [LOOK, search], "tool_choice": search, "user": "x", "service_tier": "auto"}
    body = msgspec.json.decode(count_request(prepare(request).call).body)
    assert body.keys() == {"model", "messages", "tools"}
    assert [tool["name"] for tool in body["tools"]] == ["look"]


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-opus-5-5", 128_000),
        ("eu.anthropic.claude-opus-4-6-v1:0", 64_000),
        ("claude-haiku-4-5@20251001", 64_000),
        ("claude-sonnet-4-20250514", 32_000),
        ("claude-3-7-sonnet-20250219", 32_000),
        ("claude-3-5-haiku-20241022", 8_192),
        ("claude-3-haiku-20240307", 4_096),
        ("our-own-model", 128_000),
    ],
)
def test_a_model_writes_as_much_as_its_version_can(model: str, limit: int, encode: Encode) -> None:
    assert encode({}, model=model)["max_tokens"] == limit
    assert encode({"max_output_tokens": 7}, model=model)["max_tokens"] == 7
    assert encode({}, model=model, max_tokens=9)["max_tokens"] == 9


def test_the_number_of_tokens_is_read() -> None:
    assert AnthropicDialect().read_count(b'{"input_tokens": 7}') == 7
    for odd in (b'{"tokens": 7}', b"<html>", b'{"input_tokens": "many"}'):
        with pytest.raises(UpstreamProtocolError):
            AnthropicDialect().read_count(odd)


def test_a_quirk_that_does_not_exist_is_an_error_that_names_it(encode: Encode) -> None:
    with pytest.raises(ConfigError, match="max_tokenz"):
        encode({}, max_tokenz=1)
