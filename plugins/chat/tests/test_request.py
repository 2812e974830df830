"""Requests, written as Chat Completions bodies; one test per rule."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.errors import ConfigError, InvalidRequestError
from gateway.types.tools import FunctionTool
from gateway_chat import ChatDialect

Encode = Callable[..., dict[str, Any]]

F = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
G = {"type": "function", "name": "g", "description": "Does g.", "parameters": None}


def test_the_smallest_request(encode: Encode) -> None:
    assert encode({}) == {
        "model": "upstream-model",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


OLLAMA = {"root": "/v1", "port": 11434}


@pytest.mark.parametrize(
    ("base_url", "quirks", "url"),
    [
        ("http://h/v1", {}, "http://h/v1/chat/completions"),
        ("http://h/v1/", {}, "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions", {}, "http://h/v1/chat/completions"),
        ("http://h/v1?api-version=1", {}, "http://h/v1/chat/completions?api-version=1"),
        ("http://h/", OLLAMA, "http://h/v1/chat/completions"),
        ("http://h/v1/", OLLAMA, "http://h/v1/chat/completions"),
        ("https://h:1", OLLAMA, "https://h:1/v1/chat/completions"),
        ("h", OLLAMA, "http://h:11434/v1/chat/completions"),
        ("h:1/v1", OLLAMA, "http://h:1/v1/chat/completions"),
        ("0.0.0.0", OLLAMA, "http://127.0.0.1:11434/v1/chat/completions"),
        ("0.0.0.0:1", OLLAMA, "http://127.0.0.1:1/v1/chat/completions"),
        (":1", OLLAMA, "http://127.0.0.1:1/v1/chat/completions"),
        ("[::]:1", OLLAMA, "http://127.0.0.1:1/v1/chat/completions"),
        ("[::1]", OLLAMA, "http://[::1]:11434/v1/chat/completions"),
        ("h", {}, "http://h/chat/completions"),
    ],
)
def test_the_address_is_completed(
    base_url: str, quirks: dict[str, Any], url: str, call_for: Any
) -> None:
    call = call_for(base_url=base_url, quirks=quirks, api_key="sk-secret")
    request = ChatDialect().encode(call)
    assert (request.url, request.method) == (url, "POST")
    assert b"sk-secret" not in request.body
    assert "authorization" not in request.headers


def test_what_belongs_to_the_gateway_is_never_sent(encode: Encode) -> None:
    body = encode({"metadata": {"a": "b"}, "store": False, "truncation": "auto", "user": "u"})
    assert body.keys() == {"model", "messages", "stream", "stream_options"}


def test_parameters_of_the_same_name_pass(encode: Encode) -> None:
    body = encode({"temperature": 0, "top_p": 0.5, "user": "u"}, passes=["user"])
    assert (body["temperature"], body["top_p"], body["user"]) == (0, 0.5, "u")
    wordy = {"text": {"verbosity": "low"}}
    assert encode(wordy, passes=["verbosity"])["verbosity"] == "low"
    assert "verbosity" not in encode(wordy)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_token_limit_has_the_name_that_the_server_knows(encode: Encode, field: str) -> None:
    assert encode({"max_output_tokens": 9}, max_tokens_field=field)[field] == 9


def test_an_operator_may_add_to_the_body_and_leave_out_stream_options(encode: Encode) -> None:
    body = encode({}, extra_body={"top_k": 4}, stream_options=False)
    assert body["top_k"] == 4
    assert "stream_options" not in body


ON, OFF = {"type": "enabled"}, {"type": "disabled"}


@pytest.mark.parametrize(
    ("quirks", "members"),
    [
        ({}, {"reasoning_effort": "max"}),
        ({"effort_map": {"max": "high"}}, {"reasoning_effort": "high"}),
        ({"effort": "reasoning"}, {"reasoning": {"effort": "max"}}),
        ({"effort": "thinking"}, {"thinking": ON}),
        ({"effort": "thinking", "effort_map": {"max": "none"}}, {"thinking": OFF}),
        ({"effort": "thinking_effort"}, {"thinking": ON, "reasoning_effort": "max"}),
        ({"effort": "thinking_effort", "effort_map": {"max": "none"}}, {"thinking": OFF}),
        ({"effort": "enable_thinking"}, {"enable_thinking": True}),
        ({"effort": "chat_template_kwargs"}, {"chat_template_kwargs": {"enable_thinking": True}}),
        ({"effort": "prompt_mode"}, {"prompt_mode": "reasoning"}),
        (
            {"effort_extra": {"reasoning_format": "parsed"}},
            {"reasoning_effort": "max", "reasoning_format": "parsed"},
        ),
        ({"effort": "none"}, {}),
    ],
)
def test_the_effort_goes_where_the_server_looks_for_it(
    encode: Encode, quirks: dict[str, Any], members: dict[str, Any]
) -> None:
    body = encode({"reasoning": {"effort": "max", "summary": "auto"}}, **quirks)
    assert {name: body[name] for name in body.keys() - encode({}).keys()} == members


def test_a_json_schema_is_nested_as_chat_wants_it(encode: Encode) -> None:
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True, "description": "d"}
    body = encode({"text": {"format": {"type": "json_schema", **schema}}})
    assert body["response_format"] == {"type": "json_schema", "json_schema": schema}
    body = encode({"text": {"format": {"type": "json_object"}}})
    assert body["response_format"] == {"type": "json_object"}
    assert "response_format" not in encode({"text": {"format": {"type": "text"}}})


@pytest.mark.parametrize(
    ("request_", "members"),
    [
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"top_logprobs": 0}, {}),
    ],
)
def test_log_probabilities_are_asked_for(
    encode: Encode, request_: dict[str, Any], members: dict[str, Any]
) -> None:
    body = encode(request_)
    assert {name: body[name] for name in body if "logprobs" in name} == members


def test_function_tools_are_nested_as_chat_wants_them(encode: Encode) -> None:
    body = encode({"tools": [F, G], "parallel_tool_calls": False})
    f, g = (tool["function"] for tool in body["tools"])
    assert f == {"name": "f", "parameters": {"type": "object"}, "strict": True}
    assert g["description"] == "Does g."
    assert g["parameters"] == {"type": "object", "properties": {}}
    assert "strict" not in g
    assert body["parallel_tool_calls"] is False
    assert "tool_choice" not in body


def test_what_a_server_does_not_know_of_tools_is_not_sent(encode: Encode) -> None:
    request = {"tools": [F], "parallel_tool_calls": False}
    body = encode(request, strict_tools=False, parallel_tool_calls=False)
    assert "strict" not in body["tools"][0]["function"]
    assert "parallel_tool_calls" not in body


def test_a_choice_without_tools_is_not_sent(encode: Encode) -> None:
    assert "tool_choice" not in encode({"tools": [], "tool_choice": "auto"})


ALLOWED = {"type": "allowed_tools", "tools": [{"type": "function", "name": "g"}]}
NAMED = {"type": "function", "name": "g"}
CHAT_NAMED = {"type": "function", "function": {"name": "g"}}
CHAT_ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CHAT_NAMED]}}


@pytest.mark.parametrize(
    ("choice", "known", "sent", "offered"),
    [
        ("none", ["none"], "none", "fg"),
        ("auto", [], "auto", "fg"),
        ("required", ["required"], "required", "fg"),
        ("required", ["any"], "any", "fg"),
        (NAMED, ["named"], CHAT_NAMED, "fg"),
        (NAMED, ["required"], "required", "g"),
        (NAMED, ["any"], "any", "g"),
        ({**ALLOWED, "mode": "auto"}, [], "auto", "g"),
        ({**ALLOWED, "mode": "required"}, ["required"], "required", "g"),
        ({**ALLOWED, "mode": "required"}, ["any"], "any", "g"),
        ({**ALLOWED, "mode": "auto"}, ["allowed"], CHAT_ALLOWED, "fg"),
    ],
)
def test_a_tool_choice_is_said_in_words_that_the_server_knows(
    encode: Encode, choice: Any, known: list[str], sent: Any, offered: str
) -> None:
    body = encode({"tools": [F, G], "tool_choice": choice}, tool_choice=known)
    assert body["tool_choice"] == sent
    assert "".join(tool["function"]["name"] for tool in body["tools"]) == offered


@pytest.mark.parametrize("quirks", [{"imges": "none"}, {"images": "all"}])
def test_a_wrong_quirk_is_named(encode: Encode, quirks: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the quirks of 'alias' cannot be used") as caught:
        encode({}, **quirks)
    assert next(iter(quirks)) in caught.value.message


def test_a_schema_may_be_asked_for_in_the_system_text(encode: Encode) -> None:
    wanted = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    request = {"instructions": "Be brief.", "text": {"format": wanted}}
    body = encode(request, response_format="json_object", schema_in_system=True)
    assert body["response_format"] == {"type": "json_object"}
    system = body["messages"][0]["content"]
    assert system.startswith("Be brief.\n\n")
    assert system.endswith('{"type":"object"}')
    assert "response_format" not in encode(request, response_format="text", schema_in_system=True)


CUSTOM = {"type": "custom", "name": "c", "description": "Does c."}
LARK = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
LARK_IN_CHAT = {
    "type": "grammar",
    "grammar": {"syntax": "lark", "definition": "start: WORD"},
}


@pytest.mark.parametrize(
    ("members", "sent"),
    [
        ({}, {}),
        ({"format": {"type": "text"}}, {"format": {"type": "text"}}),
        ({"format": LARK}, {"format": LARK_IN_CHAT}),
    ],
)
def test_custom_tools_are_nested_as_chat_wants_them(
    encode: Encode, members: dict[str, Any], sent: dict[str, Any]
) -> None:
    choice = {"type": "custom", "name": "c"}
    body = encode({"tools": [{**CUSTOM, **members}], "tool_choice": choice})
    custom = {"name": "c", "description": "Does c.", **sent}
    assert body["tools"] == [{"type": "custom", "custom": custom}]
    assert body["tool_choice"] == {"type": "custom", "custom": {"name": "c"}}


def test_without_a_word_for_none_no_tools_are_offered(encode: Encode) -> None:
    body = encode({"tools": [F], "tool_choice": "none"}, tool_choice=["required"])
    assert body.keys() == encode({}).keys()


@pytest.mark.parametrize(
    "request_",
    [
        {"tool_choice": "required"},
        {"tools": [F], "tool_choice": NAMED},
        {"tools": [F], "tool_choice": {**ALLOWED, "mode": "auto"}},
        {"tools": [F], "tool_choice": {"type": "custom", "name": "c"}},
    ],
)
@pytest.mark.parametrize("tools", ["native", "constrained"])
def test_a_choice_of_what_is_not_there_is_refused(
    encode: Encode, request_: dict[str, Any], tools: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        encode(request_, tools=tools)
    assert caught.value.param == "tool_choice"


def test_thinking_stops_where_it_keeps_a_call_from_being_forced(encode: Encode) -> None:
    quirks = {"forcing_stops_thinking": True, "effort": "thinking_effort"}
    forced = {"tools": [F], "tool_choice": "required"}
    assert encode(forced, **quirks)["thinking"] == OFF
    assert "thinking" not in encode({"tools": [F]}, **quirks)


SEARCH = {"type": "web_search", "search_context_size": "low"}
BERLIN = {"type": "approximate", "city": "Berlin", "country": "DE"}


@pytest.mark.parametrize(
    ("tool", "way", "members"),
    [
        (SEARCH, "openai", {"web_search_options": {"search_context_size": "low"}}),
        ({"type": "web_search_preview"}, "openai", {"web_search_options": {}}),
        (
            {"type": "web_search", "user_location": BERLIN},
            "openai",
            {
                "web_search_options": {
                    "user_location": {
                        "type": "approximate",
                        "approximate": {"city": "Berlin", "country": "DE"},
                    }
                }
            },
        ),
        (
            {
                "type": "web_search",
                "user_location": BERLIN,
                "filters": {"allowed_domains": ["example.org"]},
            },
            "perplexity",
            {
                "web_search_options": {"user_location": {"city": "Berlin", "country": "DE"}},
                "search_domain_filter": ["example.org"],
            },
        ),
        (
            {
                "type": "web_search",
                "search_context_size": "low",
                "user_location": BERLIN,
                "filters": {"allowed_domains": ["example.org"]},
            },
            "openrouter",
            {
                "tools": [
                    {
                        "type": "openrouter:web_search",
                        "parameters": {
                            "search_context_size": "low",
                            "user_location": BERLIN,
                            "allowed_domains": ["example.org"],
                        },
                    }
                ]
            },
        ),
    ],
)
def test_a_search_of_the_web_is_asked_for_in_the_vendors_way(
    encode: Encode, tool: dict[str, Any], way: str, members: dict[str, Any]
) -> None:
    body = encode({"tools": [tool], "tool_choice": "required"}, web_search=way)
    assert {name: body[name] for name in body.keys() - encode({}).keys()} == members


def test_what_is_nested_too_deeply_is_refused(call_for: Any) -> None:
    schema: dict[str, Any] = {}
    for _ in range(5_000):
        schema = {"items": schema}
    call = call_for()
    deep = replace(call.request, tools=(FunctionTool(name="f", parameters=schema),))
    with pytest.raises(InvalidRequestError, match="too deeply"):
        ChatDialect().encode(replace(call, request=deep))
