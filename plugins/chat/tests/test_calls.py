"""How servers send tool calls, each way invented after what PROVIDER_MAPPING and logs tell of."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.stream.lifecycle import violations

Chat = Callable[..., Any]


def piece(arguments: Any = None, **members: Any) -> dict[str, Any]:
    """A piece of a call: `index`, `id` and `name` only if given."""
    name = {"name": members.pop("name")} if "name" in members else {}
    return {**members, "function": {**name, "arguments": arguments}}


def calls(chat: Chat, *chunks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    outcome = chat(*({"tool_calls": chunk} for chunk in chunks), "tool_calls")
    assert violations(outcome.events) == []
    assert outcome.response.status == "completed"
    found = outcome.items("function_call")
    assert len({call.call_id for call in found}) == len(found)
    assert all(call.call_id for call in found)
    return [(call.name, call.arguments) for call in found]


ONE = [("f", '{"a":1}')]
TWO = [("f", '{"a":1}'), ("g", '{"b":2}')]
TWICE = [("f", '{"a":1}'), ("f", '{"a":1}')]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param(
            [
                [piece("", index=0, id="x", name="f")],
                [piece('{"a"', index=0)],
                [piece(":1}", index=0)],
            ],
            ONE,
            id="as OpenAI sends it",
        ),
        pytest.param(
            [
                [piece("", index=0, id="x", name="f"), piece("", index=1, id="y", name="g")],
                [piece('{"a":', index=0), piece('{"b":', index=1)],
                [piece("2}", index=1), piece("1}", index=0)],
            ],
            TWO,
            id="two that interleave",
        ),
        pytest.param(
            [
                [piece('{"a":1}', index=0, id="x", name="f")],
                [piece('{"b":2}', index=0, id="y", name="g")],
            ],
            TWO,
            id="all of index 0",
        ),
        pytest.param(
            [[piece('{"a":1}', index=0, name="f")], [piece('{"a":1}', index=0, name="f")]],
            TWICE,
            id="all of index 0, without ids",
        ),
        pytest.param(
            [[piece('{"a":1}', id="x", name="f"), piece('{"b":2}', id="y", name="g")]],
            TWO,
            id="a list without indexes",
        ),
        pytest.param(
            [[piece('{"a":1}', id="", name="f")], [piece('{"b":2}', id="", name="g")]],
            TWO,
            id="neither index nor id",
        ),
        pytest.param(
            [[piece('{"a":1}', name="f"), piece('{"a":1}', name="f")]],
            TWICE,
            id="the same call twice in a list without ids",
        ),
        pytest.param(
            [[piece('{"a":1}', name="f")], [piece('{"a":1}', name="f")]],
            TWICE,
            id="the same call twice without ids",
        ),
        pytest.param(
            [[piece(id="x", name="f")], [piece('{"a"')], [piece(":1}")]],
            ONE,
            id="no index, in pieces",
        ),
        pytest.param(
            [
                [piece("", index=0, id="x", name="lo")],
                [piece("", index=0, name="ok")],
                [piece("{}", index=0)],
            ],
            [("look", "{}")],
            id="a name in pieces",
        ),
        pytest.param(
            [
                [piece("", index=0, id="x", name="f")],
                [piece('{"a"', index=0, id="x", name="f")],
                [piece(":1}", index=0, id="x", name="f")],
            ],
            ONE,
            id="name and id each time",
        ),
        pytest.param(
            [
                [piece("", index=0, name="f")],
                [piece('{"a"', index=0, name="f")],
                [piece(":1}", index=0, name="f")],
            ],
            ONE,
            id="the name each time, without ids",
        ),
        pytest.param(
            [[piece("", index=0, id="x", name="f")], [piece('{"a":1}', index=0, id="other")]],
            ONE,
            id="a new id each time",
        ),
        pytest.param(
            [[piece("", name="f"), piece("", name="f")]],
            [("f", "{}"), ("f", "{}")],
            id="twice without arguments in a list without ids",
        ),
        pytest.param(
            [[piece("", name="f")], [piece("", name="g")]],
            [("f", "{}"), ("g", "{}")],
            id="two without arguments, index or id",
        ),
        pytest.param(
            [[piece('{"a":1}', index=0, name="f")], [piece("", index=0, name="f")]],
            ONE,
            id="the name once more after the arguments",
        ),
        pytest.param(
            [[piece({"a": 1}, index=0, id="x", name="f")]], ONE, id="arguments as an object"
        ),
        pytest.param([[piece({}, index=0, name="f")]], [("f", "{}")], id="an empty object"),
        pytest.param([[piece(None, index=0, name="f")]], [("f", "{}")], id="null arguments"),
        pytest.param(
            [[piece("", index=0, id="x", name="f")], [piece("{}", index=0)]],
            [("f", "{}")],
            id="empty text, then an empty object",
        ),
        pytest.param(
            [[piece("", index=0, name="f")], [piece("", index=1, name="g")]],
            [("f", "{}"), ("g", "{}")],
            id="two without arguments",
        ),
        pytest.param(
            [[{"index": 0, "id": "x"}], [piece('{"a":1}', index=0, id="x", name="f")]],
            ONE,
            id="an id before all else",
        ),
        pytest.param(
            [
                [piece('{"a":1}', index=0, id="x", name="f")],
                [piece('{"b":2}', index=1, id="x", name="g")],
            ],
            TWO,
            id="one id for two calls",
        ),
        pytest.param(
            [
                [piece('{"a"', id="x", name="f")],
                [piece('{"b"', id="y", name="g")],
                [piece(":1}", id="x"), piece(":2}", id="y")],
            ],
            TWO,
            id="two that interleave by their ids alone",
        ),
        pytest.param(
            [[piece('{"a"', id="x", name="f")], [piece(":1}", index=0)]],
            ONE,
            id="a number that comes late",
        ),
        pytest.param(
            [[piece('{"a"', index=0, id="x", name="f")], [piece(":1}", index=1)]],
            ONE,
            id="pieces that are numbered on",
        ),
        pytest.param(
            [[piece('{"a":1}', id="x", name="f")], [piece('{"b":2}', id="x", name="g")]],
            TWO,
            id="one id for two calls without numbers",
        ),
    ],
)
def test_calls_are_told_apart(
    chat: Chat, chunks: list[list[dict[str, Any]]], expected: list[tuple[str, str]]
) -> None:
    assert calls(chat, *chunks) == expected


def test_the_ids_of_the_upstream_are_kept(chat: Chat) -> None:
    chunk = [piece("{}", index=0, id="functions.f:0", name="f")]
    outcome = chat({"tool_calls": chunk}, "stop")
    assert [call.call_id for call in outcome.items("function_call")] == ["functions.f:0"]


def test_the_one_function_call_of_old_is_read(chat: Chat) -> None:
    outcome = chat(
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a":1}'}},
        "function_call",
    )
    assert [(c.name, c.arguments) for c in outcome.items("function_call")] == ONE


def test_text_after_a_call_is_a_message_of_its_own(chat: Chat) -> None:
    call = {"tool_calls": [piece(index=0, id="x", name="f")]}
    outcome = chat({"content": "I call."}, call, {"content": "I called."}, "stop")
    assert violations(outcome.events) == []
    types = [item.type for item in outcome.response.output]
    assert types == ["message", "function_call", "message"]


def test_a_call_cut_by_the_token_limit_is_incomplete(chat: Chat) -> None:
    outcome = chat({"tool_calls": [piece('{"a":', index=0, id="x", name="f")]}, "length")
    call = outcome.items("function_call")[0]
    assert (call.status, call.arguments) == ("incomplete", '{"a":')


def test_a_call_told_in_both_ways_is_told_once(chat: Chat) -> None:
    function = {"name": "f", "arguments": '{"a":1}'}
    both = {
        "function_call": function,
        "tool_calls": [{"index": 0, "id": "x", "function": function}],
    }
    found = chat(both, "tool_calls").items("function_call")
    assert [(call.call_id, call.name, call.arguments) for call in found] == [("x", *ONE[0])]


def test_a_whole_custom_call_is_handed_over(chat: Chat) -> None:
    custom = {"id": "x", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    outcome = chat({"tool_calls": [custom]}, "tool_calls")
    assert violations(outcome.events) == []
    assert [(c.name, c.input) for c in outcome.items("custom_tool_call")] == [("shell", "ls")]
