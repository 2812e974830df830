"""Tools for a model that knows none: the schema, the history, and the way back. All is invented."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.plugin import ToolCall
from gateway.stream.lifecycle import violations
from gateway_chat.constrained_answer import AnswerReader

Encode = Callable[..., dict[str, Any]]

UNIT = {"$ref": "#/$defs/unit"}
F = {
    "type": "function",
    "name": "f",
    "description": "Does f.",
    "parameters": {"type": "object", "properties": {"u": UNIT}, "$defs": {"unit": {"enum": ["C"]}}},
}
G = {"type": "function", "name": "g", "parameters": None}
QUIRKS = {"tools": "constrained"}
CALLED = {"type": "function_call", "call_id": "a", "name": "f", "arguments": '{"u": "C"}'}
RETURNED = {"type": "function_call_output", "call_id": "a", "output": "18"}


def schema_of(body: dict[str, Any]) -> dict[str, Any]:
    assert body["response_format"]["type"] == "json_schema"
    return body["response_format"]["json_schema"]["schema"]


def said_by(schema: dict[str, Any]) -> list[str]:
    """What the model may say: the names of functions, a list of so many of them, or `message`."""
    options: list[str] = []
    for option in schema["anyOf"]:
        if option["type"] == "array":
            calls = "+".join(
                call["properties"]["name"]["const"] for call in option["items"]["anyOf"]
            )
            options.append(f"{option['minItems']} to {option['maxItems']} of {calls}")
        elif "name" in option["properties"]:
            options.append(option["properties"]["name"]["const"])
        else:
            options.append("message")
    return options


ALLOWED = {"type": "allowed_tools", "tools": [{"type": "function", "name": "g"}]}


@pytest.mark.parametrize(
    ("choice", "options"),
    [
        (None, ["f", "g", "message"]),
        ("auto", ["f", "g", "message"]),
        ("required", ["f", "g"]),
        ({"type": "function", "name": "g"}, ["g"]),
        ({**ALLOWED, "mode": "auto"}, ["g", "message"]),
        ({**ALLOWED, "mode": "required"}, ["g"]),
    ],
)
def test_the_schema_leaves_what_the_choice_allows(
    encode: Encode, choice: Any, options: list[str]
) -> None:
    request = {"tools": [F, G], "tool_choice": choice, "parallel_tool_calls": False}
    body = encode(request, **QUIRKS)
    assert said_by(schema_of(body)) == options
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()
    told = body["messages"][0]["content"]
    assert [name for name in "fg" if f"- {name}" in told] == [o for o in options if o != "message"]


@pytest.mark.parametrize(
    ("parallel", "options"),
    [
        (None, ["f", "g", "2 to 8 of f+g", "message"]),
        (True, ["1 to 8 of f+g", "message"]),
        (False, ["f", "g", "message"]),
    ],
)
def test_a_list_of_calls_is_what_the_client_allows_or_wants(
    encode: Encode, parallel: bool | None, options: list[str]
) -> None:
    body = encode({"tools": [F, G], "parallel_tool_calls": parallel}, **QUIRKS)
    assert said_by(schema_of(body)) == options


def test_no_choice_of_tools_leaves_the_request_plain(encode: Encode) -> None:
    body = encode({"tools": [F], "tool_choice": "none"}, **QUIRKS)
    assert body == encode({})


def test_references_inside_of_parameters_still_lead_home(encode: Encode) -> None:
    schema = schema_of(encode({"tools": [F]}, **QUIRKS))
    moved = schema["$defs"]["function_0"]
    assert moved["properties"]["u"] == {"$ref": "#/$defs/function_0/$defs/unit"}
    assert moved["$defs"]["unit"] == {"enum": ["C"]}


def test_instructions_stay_before_the_functions(encode: Encode) -> None:
    body = encode({"tools": [F], "instructions": "Be brief."}, **QUIRKS)
    told = body["messages"][0]
    assert told["role"] == "system"
    assert told["content"].startswith("Be brief.\n\n")
    assert "- f: Does f." in told["content"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"type": "json_schema", "name": "n", "schema": {"type": "array"}}, {"type": "array"}),
        ({"type": "json_object"}, {"type": "object"}),
        ({"type": "text"}, {"type": "string"}),
    ],
)
def test_an_answer_keeps_its_own_format(
    encode: Encode, wanted: dict[str, Any], message: dict[str, Any]
) -> None:
    text = {"text": {"format": wanted}}
    assert schema_of(encode({"tools": [F], **text}, **QUIRKS))["$defs"]["message"] == message
    assert encode(text, **QUIRKS) == encode(text)


def test_history_becomes_talk(encode: Encode) -> None:
    hello = {"role": "assistant", "content": "Hello."}
    items = [hello, {"role": "user", "content": "How warm?"}, CALLED, RETURNED]
    talk = [
        {"role": "user", "content": "How warm?"},
        {"role": "assistant", "content": "Calling f."},
        {"role": "user", "content": "The result of f for C is: 18\nTell me the answer."},
    ]
    held = encode({"input": items, "tools": [F]}, **QUIRKS)["messages"]
    assert held[1:] == [{"role": "assistant", "content": '{"message":"Hello."}'}, *talk]
    assert encode({"input": items}, **QUIRKS)["messages"] == [hello, *talk]


def test_parallel_calls_and_their_outputs_are_one_message_each(encode: Encode) -> None:
    second = {"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"}
    items = [CALLED, second, RETURNED, RETURNED | {"call_id": "b", "output": "done"}]
    assert encode({"input": items}, **QUIRKS)["messages"] == [
        {"role": "assistant", "content": "Calling f, g."},
        {
            "role": "user",
            "content": "The result of f for C is: 18\nThe result of g is: done\n"
            "Tell me the answer.",
        },
    ]


def answer(read: Callable[..., Any], text: str, *, size: int = 3, end: str = "stop") -> Any:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    chunks: list[Any] = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
    chunks.append({"choices": [{"delta": {}, "finish_reason": end}]})
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    outcome = read(frames, request={"tools": [F, G]}, **QUIRKS)
    assert violations(outcome.events) == []
    return outcome


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_message_streams_as_it_comes(
    read: Callable[..., Any], size: int, ascii_only: bool
) -> None:
    text = 'Caf\u00e9 "q" \\ \n \U0001f600 \u4e2d end'
    written = json.dumps({"message": text}, ensure_ascii=ascii_only, indent=1)
    outcome = answer(read, written, size=size)
    assert outcome.text == text
    assert [item.type for item in outcome.response.output] == ["message"]
    deltas = [event for event in outcome.events if event.type == "response.output_text.delta"]
    assert size == 1000 or len(deltas) > 3


def test_a_call_becomes_a_call(read: Callable[..., Any]) -> None:
    outcome = answer(read, '{ "name": "f", "arguments": {"u": "C", "n": 1.50} }')
    calls = outcome.items("function_call")
    assert [(call.name, call.arguments) for call in calls] == [("f", '{"u": "C", "n": 1.50}')]
    assert outcome.response.status == "completed"
    assert outcome.text == ""


TWO = '[ {"name": "f", "arguments": {"u": "}"}},\n{"name":"g","arguments":{}} ]'


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_list_of_calls_becomes_calls(read: Callable[..., Any], size: int) -> None:
    outcome = answer(read, TWO, size=size)
    calls = [(call.name, call.arguments) for call in outcome.items("function_call")]
    assert calls == [("f", '{"u": "}"}'), ("g", "{}")]
    assert len(outcome.response.output) == 2


def test_a_call_comes_when_it_is_whole() -> None:
    reader, middle = AnswerReader(), TWO.index("\n")
    assert reader.feed(TWO[:middle]) == [ToolCall(0, None, "f", '{"u": "}"}')]
    assert reader.feed(TWO[middle:]) == [ToolCall(1, None, "g", "{}")]
    assert reader.close() == []


def test_a_call_that_repeats_another_is_left_out(read: Callable[..., Any]) -> None:
    call = '{"name": "f", "arguments": {"n": %s}}'
    outcome = answer(read, f"[{call % 1}, {call % 2}, {call % ' 1'}]")
    assert [call.arguments for call in outcome.items("function_call")] == ['{"n": 1}', '{"n": 2}']


def test_a_message_that_is_no_string_is_told_as_json(read: Callable[..., Any]) -> None:
    assert answer(read, '{"message": {"a": [1]}}').text == '{"a": [1]}'


@pytest.mark.parametrize(
    ("cut", "text", "calls"),
    [
        ('{"message": "Hello wor', "Hello wor", []),
        ('{"message": "Hello \\u00', "Hello ", []),
        ('{"name": "f", "arguments": {"u": ', "", [("f", '{"u": ')]),
        ('{"name": "f", "argu', "", []),
        ('[{"name": "f", "arguments": {}}, {"name": "g", "ar', "", [("f", "{}")]),
        (
            '[{"name": "f", "arguments": {}}, {"name": "g", "arguments": [',
            "",
            [("f", "{}"), ("g", "[")],
        ),
    ],
)
def test_an_answer_cut_by_the_token_limit_is_incomplete(
    read: Callable[..., Any], cut: str, text: str, calls: list[tuple[str, str]]
) -> None:
    outcome = answer(read, cut, end="length")
    assert outcome.response.status == "incomplete"
    assert outcome.text == text
    assert [(c.name, c.arguments) for c in outcome.items("function_call")] == calls


def test_a_server_that_ignores_the_schema_is_still_understood(read: Callable[..., Any]) -> None:
    for text in ("Just words.", "[note] just words", '[{"a": 1}]'):
        assert answer(read, text).text == text


def test_without_tools_the_answer_is_plain(read: Callable[..., Any]) -> None:
    chunk = {"choices": [{"delta": {"content": '{"message": "x"}'}, "finish_reason": "stop"}]}
    outcome = read([b"data: " + json.dumps(chunk).encode() + b"\n\n"], **QUIRKS)
    assert outcome.text == '{"message": "x"}'
