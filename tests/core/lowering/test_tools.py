"""What the model is offered in place of tools that its upstream does not know."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import InvalidRequestError
from gateway.types.tools import FunctionTool

if TYPE_CHECKING:
    from gateway.core.lowering import Lowered

    from .conftest import Lower

Plain = Callable[[Any], Any]

SEARCH: dict[str, Any] = {"type": "tool_search", "execution": "client"}
SPACE: dict[str, Any] = {
    "type": "namespace",
    "name": "calendar",
    "description": "about appointments",
    "tools": [
        {"type": "function", "name": "find", "parameters": {"type": "object"}},
        {"type": "custom", "name": "note"},
    ],
}


def function(name: str, **members: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, **members}


def tools_of(result: Lowered) -> list[FunctionTool]:
    tools = result.request.tools or ()
    assert all(isinstance(tool, FunctionTool) for tool in tools)
    return [tool for tool in tools if isinstance(tool, FunctionTool)]


def names_of(result: Lowered) -> list[str]:
    return [tool.name for tool in tools_of(result)]


def test_a_request_of_functions_stays_as_it_is(lowered: Lower) -> None:
    result = lowered(
        tools=[function("f", strict=True)], tool_choice={"type": "function", "name": "f"}
    )
    assert result.request.tools == (FunctionTool(name="f", strict=True),)
    assert not result.origins


def test_a_custom_tool_takes_one_string(lowered: Lower, plain: Plain) -> None:
    [tool] = tools_of(lowered(tools=[{"type": "custom", "name": "exec", "description": "runs"}]))
    assert (tool.name, tool.description) == ("exec", "runs")
    parameters = plain(tool.parameters)
    assert parameters["required"] == ["input"]
    assert parameters["properties"]["input"]["type"] == "string"


@pytest.mark.parametrize("syntax", ["lark", "regex"])
def test_a_grammar_is_told_to_the_model(lowered: Lower, syntax: str) -> None:
    form = {"type": "grammar", "syntax": syntax, "definition": "start: /x+/"}
    [tool] = tools_of(lowered(tools=[{"type": "custom", "name": "exec", "format": form}]))
    described = (tool.parameters or {})["properties"]["input"]["description"]
    assert syntax in described
    assert "start: /x+/" in described


def test_members_of_a_namespace_bear_both_names(lowered: Lower) -> None:
    result = lowered(tools=[SPACE])
    assert names_of(result) == ["calendar__find", "calendar__note"]
    find, note = tools_of(result)
    assert find.parameters == {"type": "object"}
    assert (note.parameters or {})["required"] == ["input"]


def test_a_namespace_is_described_once(lowered: Lower) -> None:
    find, note = tools_of(lowered(tools=[SPACE]))
    assert "about appointments" in (find.description or "")
    assert note.description is None


@pytest.mark.parametrize(
    ("space", "name"),
    [("s" * 40, "n" * 40), ("mcp/kalender", "suche"), ("Café", "menu"), ("a", "b c")],
)
def test_a_name_that_upstreams_refuse_is_shortened(lowered: Lower, space: str, name: str) -> None:
    tools = [{"type": "namespace", "name": space, "tools": [function(name), function(f"{name}2")]}]
    first, second = names_of(lowered(tools=tools))
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", first)
    assert first != second
    assert names_of(lowered(tools=tools)) == [first, second]


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ([function("shell"), {"type": "shell"}], "tools[1].name"),
        ([SPACE, function("calendar__find")], "tools[1].name"),
        ([function("f"), {"type": "custom", "name": "f"}], "tools[1].name"),
        ([function("calendar__note"), SPACE], "tools[1].tools[1].name"),
    ],
)
def test_two_tools_of_one_name_are_refused(lowered: Lower, tools: list[Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        lowered(tools=tools)
    assert caught.value.param == param


@pytest.mark.parametrize("kind", ["shell", "local_shell", "apply_patch", "tool_search"])
def test_a_tool_of_the_client_is_a_function_of_its_type(lowered: Lower, kind: str) -> None:
    [tool] = tools_of(lowered(tools=[{"type": kind, "execution": "client"}]))
    assert tool.name == kind
    assert tool.description
    parameters = tool.parameters or {}
    assert set(parameters["required"]) <= set(parameters["properties"])


@pytest.mark.parametrize("kind", ["container_auto", "container_reference"])
def test_a_shell_in_a_container_is_refused(lowered: Lower, kind: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        lowered(tools=[function("f"), {"type": "shell", "environment": {"type": kind}}])
    assert caught.value.param == "tools[1].environment.type"


def test_the_model_is_told_of_the_skills_of_a_local_shell(lowered: Lower) -> None:
    skill = {"name": "pdf", "description": "reads PDF files", "path": "/skills/pdf"}
    shell = {"type": "shell", "environment": {"type": "local", "skills": [skill]}}
    [tool] = tools_of(lowered(tools=[shell]))
    assert all(value in (tool.description or "") for value in skill.values())


@pytest.mark.parametrize("execution", [None, "server"])
def test_a_search_by_the_server_is_refused(lowered: Lower, execution: str | None) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        lowered(tools=[{"type": "tool_search", "execution": execution}])
    assert caught.value.param == "tools[0].execution"


def test_a_search_takes_what_the_client_says(lowered: Lower) -> None:
    parameters = {"type": "object", "properties": {"goal": {"type": "string"}}}
    [tool] = tools_of(lowered(tools=[{**SEARCH, "parameters": parameters, "description": "seek"}]))
    assert (tool.parameters, tool.description) == (parameters, "seek")


def test_deferred_tools_wait_for_the_search_which_names_them(lowered: Lower) -> None:
    hidden = {**SPACE, "tools": [function("find", defer_loading=True), function("list")]}
    late = function("late", defer_loading=True, description="comes late")
    result = lowered(tools=[late, hidden, SEARCH])
    assert names_of(result) == ["calendar__list", "tool_search"]
    description = tools_of(result)[1].description or ""
    assert "late: comes late" in description
    assert "calendar: about appointments (find)" in description


def test_nothing_is_hidden_without_a_search(lowered: Lower) -> None:
    custom = {"type": "custom", "name": "exec", "defer_loading": True}
    assert names_of(lowered(tools=[function("late", defer_loading=True), custom])) == [
        "late",
        "exec",
    ]


def test_a_deferred_tool_that_is_chosen_is_offered(lowered: Lower) -> None:
    tools = [function("late", defer_loading=True), SEARCH]
    choice = {"type": "function", "name": "late"}
    assert names_of(lowered(tools=tools, tool_choice=choice)) == ["late", "tool_search"]


def test_tools_in_items_join_the_others(lowered: Lower) -> None:
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [SPACE, {"type": "shell"}]},
        {"role": "user", "content": "hello"},
    ]
    result = lowered(tools=[function("f")], input=items)
    assert names_of(result) == ["f", "calendar__find", "calendar__note", "shell"]
    assert [getattr(item, "type", "") for item in result.request.input or ()] == ["message"]


def test_tools_that_a_search_found_are_offered_once(lowered: Lower) -> None:
    late = function("late", defer_loading=True)
    found = [late, {**SPACE, "tools": [function("find", defer_loading=True)]}]
    items = [
        {"type": "tool_search_call", "call_id": "c", "arguments": {"query": "late"}},
        {"type": "tool_search_output", "call_id": "c", "tools": found},
        {"type": "tool_search_call", "call_id": "d", "arguments": {"query": "late"}},
        {"type": "tool_search_output", "call_id": "d", "tools": found},
    ]
    result = lowered(tools=[late, function("later", defer_loading=True), SEARCH], input=items)
    assert names_of(result) == ["late", "tool_search", "calendar__find"]
    assert all(not tool.defer_loading for tool in tools_of(result))


def test_two_servers_in_an_item_are_two_tools(lowered: Lower) -> None:
    servers = [{"type": "mcp", "server_label": label, "server_url": "https://x"} for label in "ab"]
    items = [{"type": "additional_tools", "role": "developer", "tools": servers}]
    assert len(lowered(input=items).request.tools or ()) == 2


def test_what_the_dialect_knows_itself_stays(lowered: Lower) -> None:
    tools = [{"type": "custom", "name": "exec"}, {"type": "shell"}, SPACE]
    result = lowered(types=["namespace"], tools=tools)
    assert [tool.type for tool in result.request.tools or ()] == [
        "custom", "shell", "function", "custom",
    ]  # fmt: skip
    assert set(result.origins) == {"calendar__find", "calendar__note", "find", "note"}
