"""Calls of functions come back as calls of the tools that the client offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import UpstreamProtocolError
from gateway.stream.deltas import (
    CustomCall,
    Delta,
    Finished,
    Item,
    Logprobs,
    Text,
    Thought,
    ToolCall,
    Used,
)
from gateway.stream.frames import Frame
from gateway.types.items import Message
from gateway.types.response import Usage

if TYPE_CHECKING:
    from .conftest import Lower, Restore

Plain = Callable[[Any], Any]

EXEC = {"type": "custom", "name": "exec"}
SHELL = {"type": "shell"}
SPACE = {
    "type": "namespace",
    "name": "calendar",
    "tools": [{"type": "function", "name": "find"}, {"type": "custom", "name": "note"}],
}
TOOLS = [
    EXEC,
    SHELL,
    SPACE,
    {"type": "local_shell"},
    {"type": "apply_patch"},
    {"type": "tool_search", "execution": "client"},
    {"type": "function", "name": "f"},
]


def items(deltas: list[Delta], plain: Plain) -> list[Any]:
    return [plain(delta.item) for delta in deltas if isinstance(delta, Item)]


class Silent:
    def feed(self, frame: Frame, /) -> list[Delta]:
        return []


def test_nothing_stands_between_when_nothing_was_lowered(lowered: Lower) -> None:
    translator = Silent()
    call = {"type": "custom_tool_call", "call_id": "c", "name": "exec", "input": "x"}
    result = lowered(tools=[{"type": "function", "name": "f"}], input=[call])
    assert result.restoring(translator) is translator


def test_a_custom_call_is_told_while_it_comes(restored: Restore) -> None:
    pieces = ['{"in', 'put": "a', "\\n", 'b"}']
    first = ToolCall(0, "call_1", "exec")
    assert restored(TOOLS, first, *(ToolCall(0, arguments=piece) for piece in pieces)) == [
        CustomCall(0, "call_1", "exec"),
        CustomCall(0, input="a"),
        CustomCall(0, input="\n"),
        CustomCall(0, input="b"),
    ]


def test_parallel_calls_do_not_mix(restored: Restore) -> None:
    deltas = [
        ToolCall(0, "call_1", "exec", '{"input": "a'),
        ToolCall(1, "call_2", "f", '{"x":'),
        ToolCall(0, arguments='b"}'),
        ToolCall(1, arguments="1}"),
    ]
    assert restored(TOOLS, *deltas) == [
        CustomCall(0, "call_1", "exec", "a"),
        deltas[1],
        CustomCall(0, input="b"),
        deltas[3],
    ]


def test_a_custom_call_in_plain_text_is_understood(restored: Restore) -> None:
    deltas = [ToolCall(0, "call_1", "exec", '{"patch'), ToolCall(0, arguments='": 1}')]
    called = restored(TOOLS, *deltas)
    assert "".join(call.input for call in called if isinstance(call, CustomCall)) == '{"patch": 1}'


def test_its_text_comes_before_what_follows(restored: Restore) -> None:
    called = restored(TOOLS, ToolCall(0, "call_1", "exec", '{"patch": 1}'), Text("done"))
    assert called == [
        CustomCall(0, "call_1", "exec"),
        CustomCall(0, input='{"patch": 1}'),
        Text("done"),
    ]


@pytest.mark.parametrize("name", ["calendar__find", "find"])
def test_a_member_of_a_namespace_says_its_namespace(restored: Restore, name: str) -> None:
    called = restored(TOOLS, ToolCall(0, "c", name, "{"), ToolCall(0, arguments="}"))
    assert called == [ToolCall(0, "c", "find", "{", "calendar"), ToolCall(0, arguments="}")]


@pytest.mark.parametrize("name", ["calendar__note", "note"])
def test_a_custom_member_says_its_namespace(restored: Restore, name: str) -> None:
    called = restored(TOOLS, ToolCall(0, "c", name, '{"input":"x"}'))
    assert called == [CustomCall(0, "c", "note", "x", "calendar")]


def test_a_short_name_that_could_mean_two_tools_stays(restored: Restore) -> None:
    other = {"type": "namespace", "name": "mail", "tools": [{"type": "function", "name": "find"}]}
    call = ToolCall(0, "c", "find", "{}")
    assert restored([SPACE, other], call) == [call]
    assert restored([SPACE, {"type": "function", "name": "find"}], call) == [call]


def test_a_custom_call_of_the_dialect_itself_is_named_again(lowered: Lower) -> None:
    class Speaks:
        def feed(self, frame: Frame, /) -> list[Delta]:
            return [CustomCall(0, "c", "calendar__note", "x"), CustomCall(0, input="y")]

    translator = lowered(types=["namespace"], tools=[SPACE]).restoring(Speaks())
    assert [*translator.feed(Frame(b""))] == [
        CustomCall(0, "c", "note", "x", "calendar"),
        CustomCall(0, input="y"),
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "item"),
    [
        (
            "shell",
            '{"commands": ["ls", "pwd"], "timeout_ms": 5}',
            {
                "type": "shell_call",
                "action": {"commands": ["ls", "pwd"], "timeout_ms": 5, "max_output_length": None},
                "environment": {"type": "local"},
            },
        ),
        (
            "shell",
            '{"commands": "ls", "timeout_ms": "5", "max_output_length": 7.0, "why": ""}',
            {
                "type": "shell_call",
                "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": 7},
                "environment": {"type": "local"},
            },
        ),
        (
            "local_shell",
            '{"command": ["ls"], "working_directory": "/"}',
            {
                "type": "local_shell_call",
                "action": {
                    "type": "exec",
                    "command": ["ls"],
                    "env": {},
                    "timeout_ms": None,
                    "user": None,
                    "working_directory": "/",
                },
            },
        ),
        (
            "apply_patch",
            '{"type": "update_file", "path": "a.py", "diff": "@@"}',
            {
                "type": "apply_patch_call",
                "operation": {"type": "update_file", "path": "a.py", "diff": "@@"},
            },
        ),
        (
            "apply_patch",
            '{"type": "delete_file", "path": "a.py", "diff": ""}',
            {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a.py"}},
        ),
        (
            "tool_search",
            '{"query": "x"}',
            {"type": "tool_search_call", "arguments": {"query": "x"}, "execution": "client"},
        ),
        (
            "tool_search",
            "",
            {"type": "tool_search_call", "arguments": {}, "execution": "client"},
        ),
    ],
)
def test_a_call_of_a_clients_tool_is_its_item(
    restored: Restore, plain: Plain, name: str, arguments: str, item: dict[str, Any]
) -> None:
    half = len(arguments) // 2
    called = restored(
        TOOLS, ToolCall(0, "c", name, arguments[:half]), ToolCall(0, arguments=arguments[half:])
    )
    [told] = items(called, plain)
    assert told == {**item, "call_id": "c", "status": "completed"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("shell", "{}"),
        ("shell", '{"commands": [1]}'),
        ("shell", '{"commands": ["ls"'),
        ("local_shell", "[]"),
        ("apply_patch", '{"type": "move_file", "path": "a"}'),
        ("apply_patch", '{"type": "delete_file"}'),
        ("tool_search", '"x"'),
    ],
)
def test_a_call_that_no_client_could_run_is_an_error(
    restored: Restore, name: str, arguments: str
) -> None:
    with pytest.raises(UpstreamProtocolError, match=f"'{name}'"):
        restored(TOOLS, ToolCall(0, "c", name, arguments))


def test_calls_keep_their_order(restored: Restore, plain: Plain) -> None:
    called = restored(
        TOOLS,
        ToolCall(0, "c0", "f", "{"),
        ToolCall(1, "c1", "shell", '{"commands":'),
        ToolCall(2, "c2", "exec", '{"input": "x'),
        ToolCall(3, "c3", "calendar__find", "{"),
        ToolCall(0, arguments="}"),
        ToolCall(1, arguments='["ls"]}'),
        ToolCall(2, arguments='y"}'),
        ToolCall(3, arguments="}"),
        Text("after"),
    )
    assert called[:2] == [ToolCall(0, "c0", "f", "{"), ToolCall(0, arguments="}")]
    assert [item["call_id"] for item in items(called, plain)] == ["c1"]
    assert called[3:] == [
        CustomCall(2, "c2", "exec", "xy"),
        ToolCall(3, "c3", "find", "{}", "calendar"),
        Text("after"),
    ]


@pytest.mark.parametrize(
    "silent",
    [
        Used(Usage()),
        Text(""),
        Thought(),
        Logprobs(()),
        Item(Message(role="assistant", content="x")),
    ],
)
def test_what_says_nothing_does_not_end_a_call(
    restored: Restore, plain: Plain, silent: Delta
) -> None:
    pieces = [ToolCall(0, "c", "shell", '{"commands"'), silent, ToolCall(0, arguments=':["ls"]}')]
    [*_, told] = items(restored(TOOLS, *pieces), plain)
    assert told["action"]["commands"] == ["ls"]


@pytest.mark.parametrize("name", ["shell", "exec", "f"])
def test_more_of_a_call_that_has_ended_is_an_error(restored: Restore, name: str) -> None:
    call = ToolCall(0, "c", name, '{"commands": ["ls"]}')
    assert restored(TOOLS, call, Text("x"), ToolCall(0))
    with pytest.raises(UpstreamProtocolError, match="after its end"):
        restored(TOOLS, call, Text("x"), ToolCall(0, arguments="{}"))


def test_a_name_may_come_late(restored: Restore) -> None:
    pieces = [ToolCall(0, "c", arguments='{"inp'), ToolCall(0, name="exec", arguments='ut":"x"}')]
    assert restored(TOOLS, *pieces) == [CustomCall(0, "c", "exec", "x")]


def test_a_call_without_a_name_is_left_to_the_assembler(restored: Restore) -> None:
    nameless = ToolCall(0, "c", arguments="{}")
    assert restored(TOOLS, nameless) == [nameless]


def test_a_call_that_was_cut_is_not_handed_over(restored: Restore) -> None:
    calls = [
        ToolCall(0, "c0", "exec", '{"input": "x'),
        ToolCall(1, "c1", "shell", '{"commands": ["rm"]}'),
        ToolCall(2, "c2", "f", "{"),
    ]
    assert restored(TOOLS, *calls, reason="max_output_tokens") == [
        CustomCall(0, "c0", "exec", "x"),
        ToolCall(2, "c2", "f", "{"),
    ]


def test_what_came_before_a_failure_is_told(lowered: Lower) -> None:
    class Fails:
        def feed(self, frame: Frame, /) -> Any:
            yield Text("said")
            raise UpstreamProtocolError("broken")

    deltas = iter(lowered(tools=[EXEC]).restoring(Fails()).feed(Frame(b"")))
    assert next(deltas) == Text("said")
    with pytest.raises(UpstreamProtocolError, match="broken"):
        next(deltas)


def test_the_end_is_told_last(lowered: Lower) -> None:
    class Ends:
        def feed(self, frame: Frame, /) -> list[Delta]:
            return [ToolCall(0, "c", "shell", '{"commands": "ls"}'), Finished()]

    told = [*lowered(tools=[SHELL]).restoring(Ends()).feed(Frame(b""))]
    assert [type(delta) for delta in told] == [Item, Finished]
