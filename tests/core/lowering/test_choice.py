"""Choosing a tool that the upstream knows by another name and type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import InvalidRequestError

if TYPE_CHECKING:
    from .conftest import Lower

Plain = Callable[[Any], Any]

TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "exec"},
    {"type": "shell"},
    {"type": "apply_patch"},
    {"type": "local_shell"},
    {
        "type": "namespace",
        "name": "calendar",
        "tools": [{"type": "function", "name": "find"}, {"type": "custom", "name": "note"}],
    },
    {"type": "namespace", "name": "mail", "tools": [{"type": "function", "name": "find"}]},
]


def chosen(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name}


@pytest.mark.parametrize("choice", ["none", "auto", "required", None])
def test_a_choice_of_no_tool_stays(lowered: Lower, choice: str | None) -> None:
    assert lowered(tools=TOOLS, tool_choice=choice).request.tool_choice == choice


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (chosen("f"), "f"),
        ({"type": "custom", "name": "exec"}, "exec"),
        ({"type": "shell"}, "shell"),
        ({"type": "apply_patch"}, "apply_patch"),
        ({"type": "local_shell"}, "local_shell"),
        ({"type": "custom", "name": "note"}, "calendar__note"),
        (chosen("mail__find"), "mail__find"),
    ],
)
def test_a_tool_is_chosen_as_the_function_that_it_became(
    lowered: Lower, plain: Plain, choice: Any, name: str
) -> None:
    assert plain(lowered(tools=TOOLS, tool_choice=choice).request.tool_choice) == chosen(name)


def test_a_name_in_two_namespaces_is_no_choice(lowered: Lower) -> None:
    with pytest.raises(InvalidRequestError, match="calendar__find, mail__find") as caught:
        lowered(tools=TOOLS, tool_choice=chosen("find"))
    assert caught.value.param == "tool_choice.name"


@pytest.mark.parametrize(
    "choice", [chosen("absent"), {"type": "custom", "name": "absent"}, {"type": "tool_search"}]
)
def test_a_tool_that_is_not_there_cannot_be_chosen(lowered: Lower, choice: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        lowered(tools=TOOLS, tool_choice=choice)
    assert caught.value.param == "tool_choice"


def test_allowed_tools_are_named_as_functions(lowered: Lower, plain: Plain) -> None:
    entries = [
        chosen("f"),
        {"type": "custom", "name": "exec"},
        {"type": "shell"},
        {"type": "function", "name": "find", "namespace": "mail"},
        {"type": "namespace", "name": "calendar"},
        {"type": "web_search"},
    ]
    choice = {"type": "allowed_tools", "mode": "required", "tools": entries}
    lowered_choice = plain(lowered(tools=TOOLS, tool_choice=choice).request.tool_choice)
    assert lowered_choice["mode"] == "required"
    assert lowered_choice["tools"] == [
        *map(chosen, ["f", "exec", "shell", "mail__find", "calendar__find", "calendar__note"]),
        {"type": "web_search"},
    ]


def test_a_custom_tool_that_the_dialect_knows_is_chosen_as_one(
    lowered: Lower, plain: Plain
) -> None:
    choice = {"type": "custom", "name": "note"}
    result = lowered(types=["namespace"], tools=TOOLS, tool_choice=choice)
    assert plain(result.request.tool_choice) == {"type": "custom", "name": "calendar__note"}
