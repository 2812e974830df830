"""Histories, written as the messages of a chat; one test per rule."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import InvalidRequestError

Encode = Callable[..., dict[str, Any]]


def call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def output(call_id: str, value: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": value}


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


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
        ([output("a")], "No tool call found", "input"),
        ([call("a"), output("a"), output("a")], "No tool call found", "input"),
        (
            [{"type": "function_call_output", "output": "x"}],
            "No tool call found",
            "input",
        ),
        ([call("a"), said("user", "x")], "No tool output found", "input"),
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
    assistant, *tools = messages(encode, items, tool_call_id_pattern="[a-zA-Z0-9]{9}")
    ids = [made["id"] for made in assistant["tool_calls"]]
    assert ids == [tool["tool_call_id"] for tool in tools]
    assert ids[1] == "abcDEF123"
    assert ids[0] != "call_long"
    assert all(len(made) == 9 and made.isalnum() for made in ids)


def test_a_system_text_is_the_users_where_there_is_no_such_role(encode: Encode) -> None:
    items = [said("user", "Hi")]
    assert messages(encode, items, instructions="A", system_role=False) == [
        {"role": "user", "content": "<system>\nA\n</system>"},
        {"role": "user", "content": "Hi"},
    ]


def test_users_in_a_row_are_joined_where_roles_must_alternate(encode: Encode) -> None:
    image = {"type": "input_image", "image_url": "https://example.org/a.png"}
    items = [said("user", "Hi"), said("developer", "B"), said("user", [image])]
    quirks = {"alternating": True, "single_system": True}
    system, joined = messages(encode, items, instructions="A", **quirks)
    assert system == {"role": "system", "content": "A"}
    assert joined["content"] == [
        {"type": "text", "text": "Hi\n\n<system>\nB\n</system>"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]


def test_the_assistant_speaks_between_a_tool_and_a_user_where_it_must(encode: Encode) -> None:
    items = [call("a"), output("a"), said("user", "Hi")]
    ok = {"role": "assistant", "content": "OK"}
    assert messages(encode, items, user_after_tool=False)[2:] == [ok, said("user", "Hi")]
    assert messages(encode, items)[2:] == [said("user", "Hi")]


def test_parts_of_what_the_assistant_said_are_one_text(encode: Encode) -> None:
    parts = [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]
    items = [said("assistant", parts), said("assistant", "c")]
    assert messages(encode, items) == [{"role": "assistant", "content": "ab\n\nc"}]


REFUSED = said("assistant", [{"type": "refusal", "refusal": "No."}])


def test_refusals_are_text_or_what_they_are(encode: Encode) -> None:
    assert messages(encode, [REFUSED]) == [said("assistant", "No.")]
    assert messages(encode, [REFUSED], refusals=True) == [
        {"role": "assistant", "content": None, "refusal": "No."}
    ]


@pytest.mark.parametrize(
    ("part", "quirks", "sent"),
    [
        (
            {"type": "input_file", "file_url": "https://example.org/a.pdf"},
            {"file_part": "document_url"},
            {"type": "document_url", "document_url": "https://example.org/a.pdf"},
        ),
        (
            {"type": "input_file", "file_data": "data:a/b;base64,AA", "filename": "a.pdf"},
            {"file_part": "document_url"},
            {
                "type": "document_url",
                "document_url": "data:a/b;base64,AA",
                "document_name": "a.pdf",
            },
        ),
        (
            {"type": "input_file", "file_id": "file_1"},
            {"file_part": "document_url"},
            {"type": "file", "file_id": "file_1"},
        ),
        (
            {"type": "input_file", "file_data": "data:a/b;base64,AA", "filename": "a.pdf"},
            {"file_part": "file_url"},
            {"type": "file_url", "file_url": {"url": "AA"}, "file_name": "a.pdf"},
        ),
        (
            {"type": "input_file", "file_url": "https://example.org/a.pdf"},
            {"file_part": "file_url"},
            {"type": "file_url", "file_url": {"url": "https://example.org/a.pdf"}},
        ),
        (
            {"type": "input_file", "file_id": "file_1"},
            {},
            {"type": "file", "file": {"file_id": "file_1"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            {"audio": "string"},
            {"type": "input_audio", "input_audio": "AA"},
        ),
    ],
)
def test_vendors_have_parts_of_their_own(
    encode: Encode, part: dict[str, Any], quirks: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert messages(encode, [said("user", [part])], **quirks)[0]["content"] == [sent]


CUSTOM_CALL = {"type": "custom_tool_call", "call_id": "c", "name": "write", "input": "a\nb"}
CUSTOM_OUTPUT = {"type": "custom_tool_call_output", "call_id": "c", "output": "written"}


def test_calls_of_custom_tools_are_calls_like_others(encode: Encode) -> None:
    items = [CUSTOM_CALL, call("a"), output("a"), CUSTOM_OUTPUT]
    assistant, *tools = messages(encode, items, custom_tools="native")
    assert assistant["tool_calls"][0] == {
        "id": "c",
        "type": "custom",
        "custom": {"name": "write", "input": "a\nb"},
    }
    assert [tool["content"] for tool in tools] == ["written", "done"]


def test_calls_of_one_id_are_told_apart(encode: Encode) -> None:
    items = [call("a"), call("a", "g"), output("a", "of f"), output("a", "of g")]
    assistant, first, second = messages(encode, items)
    ids = [made["id"] for made in assistant["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]]
    assert ids[0] == "a" != ids[1]
    assert messages(encode, items)[0] == assistant  # prompt caches want the same each time


@pytest.mark.parametrize("arguments", ['{"a": 1', '{"a": 1}{"b": 2}', "f()", "[" * 100_000])
def test_arguments_that_are_no_json_are_refused_here(encode: Encode, arguments: str) -> None:
    items = [said("user", "Hi"), call("a", arguments=arguments), output("a")]
    with pytest.raises(InvalidRequestError) as caught:
        messages(encode, items)
    assert caught.value.param == "input[1].arguments"


@pytest.mark.parametrize("arguments", ["", " ", "null"])
def test_no_arguments_are_an_empty_object(encode: Encode, arguments: str) -> None:
    (made,) = messages(encode, [call("a", arguments=arguments), output("a")])[0]["tool_calls"]
    assert made["function"]["arguments"] == "{}"


@pytest.mark.parametrize("items", [[], [{"type": "reasoning", "summary": []}]])
def test_nothing_to_answer_is_refused(encode: Encode, items: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidRequestError, match="nothing to answer") as caught:
        messages(encode, items)
    assert caught.value.param == "input"


def test_a_question_without_a_word_is_a_question(encode: Encode) -> None:
    asked = encode({"input": "", "instructions": "Greet."})["messages"]
    assert [message["role"] for message in asked] == ["system", "user"]


def test_any_text_arrives_as_it_is(encode: Encode) -> None:
    text = '\x00\u2028\U0001f600 \\ " </system> ' + "x" * 1_000_000
    assert messages(encode, [said("user", text)]) == [said("user", text)]
