"""Earlier calls of tools and their outputs, as the upstream is told of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Lower

Plain = Callable[[Any], Any]

EXITED = {"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}


def item(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, **members}


def call(name: str, call_id: str = "c") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name}


@pytest.mark.parametrize(
    ("told", "name", "arguments"),
    [
        (item("custom_tool_call", name="exec", input='a "b"\n'), "exec", {"input": 'a "b"\n'}),
        (
            item("custom_tool_call", name="note", namespace="calendar", input="x"),
            "calendar__note",
            {"input": "x"},
        ),
        (
            item("function_call", name="find", namespace="calendar", arguments='{"a": 1}'),
            "calendar__find",
            {"a": 1},
        ),
        (
            item(
                "shell_call",
                action={"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
            ),
            "shell",
            {"commands": ["ls"], "timeout_ms": 5},
        ),
        (
            item("local_shell_call", action={"type": "exec", "command": ["ls"], "env": {}}),
            "local_shell",
            {"command": ["ls"]},
        ),
        (
            item("apply_patch_call", operation={"type": "delete_file", "path": "a"}),
            "apply_patch",
            {"type": "delete_file", "path": "a"},
        ),
        (
            item("apply_patch_call", operation={"type": "create_file", "path": "a", "diff": "+x"}),
            "apply_patch",
            {"type": "create_file", "path": "a", "diff": "+x"},
        ),
        (
            item("tool_search_call", arguments={"query": "x"}, execution="client"),
            "tool_search",
            {"query": "x"},
        ),
    ],
)
def test_a_call_is_one_of_a_function_though_its_tool_is_gone(
    lowered: Lower, plain: Plain, told: dict[str, Any], name: str, arguments: Any
) -> None:
    [made] = plain(lowered(input=[{**told, "call_id": "c", "status": "completed"}]).request.input)
    assert {**made, "arguments": ""} == {**call(name), "arguments": "", **_status(made)}
    assert json.loads(made["arguments"]) == arguments


def _status(made: dict[str, Any]) -> dict[str, Any]:
    return {"status": made["status"]} if "status" in made else {}


@pytest.mark.parametrize(
    ("told", "output"),
    [
        (item("custom_tool_call_output", output="done"), "done"),
        (item("custom_tool_call_output", output=[IMAGE]), [IMAGE]),
        (item("shell_call_output", output=[EXITED]), json.dumps([EXITED], separators=(",", ":"))),
        (item("local_shell_call_output", output="a.txt"), "a.txt"),
        (item("apply_patch_call_output", status="completed"), '{"status":"completed"}'),
        (
            item("apply_patch_call_output", status="failed", output="no such file"),
            '{"status":"failed","output":"no such file"}',
        ),
        (item("tool_search_output", tools=[]), "No tools were found."),
    ],
)
def test_an_output_is_one_of_a_function(
    lowered: Lower, plain: Plain, told: dict[str, Any], output: Any
) -> None:
    [made] = plain(lowered(input=[{**told, "call_id": "c"}]).request.input)
    assert made == {"type": "function_call_output", "call_id": "c", "output": output}


def test_a_search_answers_with_the_names_of_what_can_be_called_now(
    lowered: Lower, plain: Plain
) -> None:
    tools = [
        {"type": "function", "name": "f"},
        {"type": "namespace", "name": "calendar", "tools": [{"type": "function", "name": "find"}]},
    ]
    [made] = plain(
        lowered(input=[item("tool_search_output", call_id="c", tools=tools)]).request.input
    )
    assert "f, calendar__find" in made["output"]


@pytest.mark.parametrize(
    "named",
    [{"id": "lsh_1"}, {"id": "call_1"}, {"call_id": "call_1"}, {"id": "x", "call_id": "call_1"}],
)
def test_the_output_of_a_local_shell_names_its_call_in_many_ways(
    lowered: Lower, plain: Plain, named: dict[str, str]
) -> None:
    action = {"type": "exec", "command": ["ls"], "env": {}}
    items = [
        item("local_shell_call", id="lsh_1", call_id="call_1", action=action),
        item("local_shell_call_output", output="a.txt", **named),
    ]
    made = plain(lowered(input=items).request.input)
    assert [one["call_id"] for one in made] == ["call_1", "call_1"]


def test_searches_that_a_server_ran_pair_up_without_call_ids(lowered: Lower, plain: Plain) -> None:
    search = item("tool_search_call", call_id=None, arguments={"paths": ["a"]}, execution="server")
    output = item("tool_search_output", call_id=None, tools=[], execution="server")
    made = plain(lowered(input=[search, output, search, output]).request.input)
    first, second, third, fourth = [one["call_id"] for one in made]
    assert first == second
    assert third == fourth
    assert first != third


def test_an_unasked_output_names_the_function_as_the_upstream_knows_it(
    lowered: Lower, plain: Plain
) -> None:
    told = item("function_call_output", name="find", namespace="calendar", output="x")
    [made] = plain(lowered(input=[told]).request.input)
    assert (made["name"], "namespace" in made) == ("calendar__find", False)


def test_a_namespace_that_nothing_offers_any_more_is_part_of_the_name(
    lowered: Lower, plain: Plain
) -> None:
    told = item("function_call", call_id="c", name="f", namespace="s", arguments="{}")
    [made] = plain(lowered(types=[], input=[told]).request.input)
    assert (made["name"], "namespace" in made) == ("s__f", False)


def test_what_the_dialect_knows_itself_stays(lowered: Lower, plain: Plain) -> None:
    items = [
        item("custom_tool_call", call_id="c", name="exec", input="x"),
        item("custom_tool_call_output", call_id="c", output="x"),
        item("function_call", call_id="d", name="f", namespace="s", arguments="{}"),
    ]
    space = {"type": "namespace", "name": "s", "tools": [{"type": "function", "name": "f"}]}
    assert plain(lowered(types=[], tools=[space], input=items).request.input) == items
