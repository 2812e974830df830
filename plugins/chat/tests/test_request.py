"""Requests, written as Chat Completions bodies; one test per rule."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import ConfigError, InvalidRequestError
from gateway_chat import ChatDialect

Encode = Callable[..., dict[str, Any]]

F = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
G = {"type": "function", "name": "g", "description": "Does g.", "parameters": None}


def call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def output(call_id: str, value: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def thought(text: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "id": "rs_1", "summary": [], "content": content, **members}


def test_the_smallest_request(encode: Encode) -> None:
    assert encode({}) == {
        "model": "upstream-model",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("base_url", "root", "url"),
    [
        ("http://h/v1", "", "http://h/v1/chat/completions"),
        ("http://h/v1/", "", "http://h/v1/chat/completions"),
        ("http://h/v1?api-version=1", "", "http://h/v1/chat/completions?api-version=1"),
        ("http://h/", "/v1", "http://h/v1/chat/completions"),
        ("http://h/v1/", "/v1", "http://h/v1/chat/completions"),
    ],
)
def test_the_path_is_added_to_the_base_url(
    base_url: str, root: str, url: str, call_for: Any
) -> None:
    call = call_for(base_url=base_url, quirks={"root": root}, api_key="sk-secret")
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


@pytest.mark.parametrize(
    ("quirks", "members"),
    [
        ({}, {"reasoning_effort": "max"}),
        ({"effort_map": {"max": "high"}}, {"reasoning_effort": "high"}),
        ({"effort": "reasoning"}, {"reasoning": {"effort": "max"}}),
        ({"effort": "thinking"}, {"thinking": {"type": "enabled"}}),
        ({"effort": "thinking", "effort_map": {"max": "none"}}, {"thinking": {"type": "disabled"}}),
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


@pytest.mark.parametrize(
    ("choice", "known", "sent", "offered"),
    [
        ("none", [], "none", "fg"),
        ("auto", [], "auto", "fg"),
        ("required", ["required"], "required", "fg"),
        ("required", ["any"], "any", "fg"),
        (NAMED, ["named"], CHAT_NAMED, "fg"),
        (NAMED, ["required"], "required", "g"),
        (NAMED, ["any"], "any", "g"),
        ({**ALLOWED, "mode": "auto"}, [], "auto", "g"),
        ({**ALLOWED, "mode": "required"}, ["required"], "required", "g"),
        ({**ALLOWED, "mode": "required"}, ["any"], "any", "g"),
    ],
)
def test_a_tool_choice_is_said_in_words_that_the_server_knows(
    encode: Encode, choice: Any, known: list[str], sent: Any, offered: str
) -> None:
    body = encode({"tools": [F, G], "tool_choice": choice}, tool_choice=known)
    assert body["tool_choice"] == sent
    assert "".join(tool["function"]["name"] for tool in body["tools"]) == offered


def messages(encode: Encode, items: list[dict[str, Any]], **quirks: Any) -> list[dict[str, Any]]:
    instructions = quirks.pop("instructions", None)
    return encode({"input": items, "instructions": instructions}, **quirks)["messages"]


def test_developers_speak_as_system_where_there_are_none(encode: Encode) -> None:
    items = [said("developer", "Be brief."), said("user", "Hi")]
    assert [m["role"] for m in messages(encode, items)] == ["system", "user"]
    assert messages(encode, items, developer_role=True)[0]["role"] == "developer"


def test_a_single_system_message_takes_up_the_others(encode: Encode) -> None:
    items = [said("system", "B"), said("user", "Hi"), said("developer", "C")]
    assert messages(encode, items, instructions="A", single_system=True) == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "<system>\nC\n</system>"},
    ]
    assert [m["content"] for m in messages(encode, items, instructions="A")] == [
        "A",
        "B",
        "Hi",
        "C",
    ]


def test_parts_of_text_become_one_string(encode: Encode) -> None:
    parts = [{"type": "input_text", "text": "a"}, {"type": "text", "text": "b"}]
    assert messages(encode, [said("user", parts)])[0]["content"] == "a\nb"
    assert messages(encode, [said("user", parts)], text_parts=True)[0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]


def test_images_files_and_audio_are_parts(encode: Encode) -> None:
    parts = [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
        {"type": "input_file", "file_data": "data:text/plain;base64,AA", "filename": "a.txt"},
        {"type": "input_file", "file_url": "https://example.org/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
    ]
    assert messages(encode, [said("user", parts)])[0]["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,AA"}},
        {"type": "file", "file": {"file_data": "https://example.org/a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
    ]


def test_a_turn_is_one_assistant_message_with_all_its_calls(encode: Encode) -> None:
    items = [
        said("user", "Hi"),
        said("assistant", [{"type": "output_text", "text": "I look."}]),
        call("a", arguments='{"x":1}'),
        call("b", "g", ""),
        output("b", "B"),
        output("a", "A"),
        said("assistant", [{"type": "refusal", "refusal": "No."}]),
    ]
    assert messages(encode, items)[1:] == [
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "A"},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
        {"role": "assistant", "content": "No."},
    ]


def test_calls_with_outputs_between_them_are_turns_of_their_own(encode: Encode) -> None:
    items = [call("a"), output("a"), call("b"), output("b")]
    assert [m["role"] for m in messages(encode, items)] == ["assistant", "tool"] * 2


def test_an_output_follows_its_call_wherever_it_stands(encode: Encode) -> None:
    items = [call("a"), said("user", "Wait"), output("a")]
    assert [m["role"] for m in messages(encode, items)] == ["assistant", "tool", "user"]


def test_a_call_id_may_be_used_again_in_a_later_turn(encode: Encode) -> None:
    items = [call("a"), output("a", "first"), call("a"), output("a", "second")]
    found = messages(encode, items)
    assert [m["content"] for m in found if m["role"] == "tool"] == ["first", "second"]


def test_outputs_of_one_call_id_answer_its_calls_in_order(encode: Encode) -> None:
    items = [call("a"), call("a", "g"), output("a", "of f"), output("a", "of g")]
    assert [m["content"] for m in messages(encode, items)[1:]] == ["of f", "of g"]


@pytest.mark.parametrize(
    ("items", "words", "param"),
    [
        ([output("a")], "no tool call found", "input[0].call_id"),
        ([call("a"), output("a"), output("a")], "no tool call found", "input[2].call_id"),
        (
            [{"type": "function_call_output", "output": "x"}],
            "no tool call found",
            "input[0].call_id",
        ),
        ([call("a"), said("user", "x")], "no tool output found", "input"),
        ([{"type": "made_up"}], "made_up", "input"),
        (
            [said("user", [{"type": "made_up"}, {"type": "input_text", "text": ""}])],
            "made_up",
            "input",
        ),
    ],
)
def test_items_that_cannot_be_sent_are_refused(
    encode: Encode, items: list[dict[str, Any]], words: str, param: str
) -> None:
    with pytest.raises(InvalidRequestError, match=words) as caught:
        messages(encode, items)
    assert caught.value.param == param


def test_a_turn_that_only_calls_has_null_content_or_none(encode: Encode) -> None:
    items = [call("a"), output("a")]
    assert messages(encode, items)[0]["content"] is None
    assert messages(encode, items, null_content=False)[0]["content"] == ""


def test_images_in_an_output_follow_it_or_stay(encode: Encode) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    items = [call("a"), call("b"), output("a", [image]), output("b", "B")]
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    first, second, late = messages(encode, items)[1:]
    assert (first["role"], second["content"], late["role"]) == ("tool", "B", "user")
    assert late["content"] == [{"type": "text", "text": "Output of f:"}, part]
    assert messages(encode, items, tool_images=True)[1]["content"] == [
        {"type": "text", "text": ""},
        part,
    ]


def test_ids_of_calls_take_the_length_that_the_server_wants(encode: Encode) -> None:
    items = [call("call_long"), call("abcDEF123"), output("call_long"), output("abcDEF123")]
    assistant, *tools = messages(encode, items, tool_call_id_length=9)
    ids = [made["id"] for made in assistant["tool_calls"]]
    assert ids == [tool["tool_call_id"] for tool in tools]
    assert ids[1] == "abcDEF123"
    assert ids[0] != "call_long"
    assert all(len(made) == 9 and made.isalnum() for made in ids)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_with_the_calls_that_it_led_to(encode: Encode, field: str) -> None:
    items = [thought("Hm."), call("a"), output("a"), thought("Oh."), said("assistant", "Yes.")]
    acting, _, speaking = messages(encode, items, reasoning_out=field)
    assert acting[field] == "Hm."
    assert field not in speaking
    assert field not in messages(encode, items)[0]


def test_reasoning_that_is_missed_is_sent_empty(encode: Encode) -> None:
    items = [call("a"), output("a")]
    quirks = {"reasoning_out": "reasoning_content"}
    assert "reasoning_content" not in messages(encode, items, **quirks)[0]
    assert messages(encode, items, reasoning_required=True, **quirks)[0]["reasoning_content"] == ""


def test_reasoning_details_go_back_as_they_came(encode: Encode) -> None:
    details = [{"type": "reasoning.encrypted", "data": "xyz", "index": 0}]
    carrier = msgspec.json.encode({"details": details}).decode()
    items = [thought("Hm.", encrypted_content=carrier), call("a"), output("a")]
    assert messages(encode, items, reasoning_out="details")[0]["reasoning_details"] == details


@pytest.mark.parametrize("carrier", ["gAAAA", '{"a": 1}', None])
def test_the_carrier_of_another_vendor_is_left_out(encode: Encode, carrier: str | None) -> None:
    items = [thought("Hm.", encrypted_content=carrier), call("a"), output("a")]
    assert "reasoning_details" not in messages(encode, items, reasoning_out="details")[0]


def test_reasoning_goes_back_to_mistral_as_a_part(encode: Encode) -> None:
    items = [thought("Hm."), said("assistant", "I look."), call("a"), output("a")]
    assert messages(encode, items, reasoning_out="thinking")[0]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "I look."},
    ]


def test_a_turn_of_reasoning_alone_is_not_sent(encode: Encode) -> None:
    assert messages(encode, [thought("Hm."), said("user", "Hi")]) == [said("user", "Hi")]


@pytest.mark.parametrize("quirks", [{"imges": "none"}, {"images": "all"}])
def test_a_wrong_quirk_is_named(encode: Encode, quirks: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the quirks of 'alias' cannot be used") as caught:
        encode({}, **quirks)
    assert next(iter(quirks)) in caught.value.message
