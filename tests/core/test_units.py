"""What belongs together goes together, and what must stay is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.units import units_of
from gateway.types.request import decode_request

USER = {"role": "user", "content": "Hi"}
SAID = {"role": "assistant", "content": "Hello"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
TOOLS = {"type": "additional_tools", "tools": []}
LOCAL = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "action": {"type": "exec"}}
SEARCH = {"type": "tool_search_call", "execution": "server", "arguments": {}}
FOUND = {"type": "tool_search_output", "execution": "server", "tools": []}
APPROVAL = {"type": "mcp_approval_request", "id": "r1", "server_label": "s", "name": "n"}
APPROVAL["arguments"] = "{}"
APPROVED = {"type": "mcp_approval_response", "approval_request_id": "r1", "approve": True}
LISTED = {"type": "mcp_list_tools", "id": "l1", "server_label": "s", "tools": []}


def call(name: str, kind: str = "function_call") -> dict[str, Any]:
    return {"type": kind, "call_id": name, "name": "f", "arguments": "{}", "input": ""}


def output(name: str, kind: str = "function_call_output") -> dict[str, Any]:
    return {"type": kind, "call_id": name, "output": "done"}


def ran(name: str, request: str | None = None) -> dict[str, Any]:
    """Return a call of an MCP server, which may have been approved."""
    told = {"id": name, "server_label": "s", "name": "n", "arguments": "{}", "output": "done"}
    return {"type": "mcp_call", **told, "approval_request_id": request}


def said_by(role: str) -> dict[str, Any]:
    return {"role": role, "content": "x"}


def units(*items: dict[str, Any]) -> list[tuple[int, ...]]:
    return [unit.positions for unit in _units(items)]


def staying(*items: dict[str, Any]) -> list[int]:
    return sorted(p for unit in _units(items) if unit.stays for p in unit.positions)


def _units(items: tuple[dict[str, Any], ...]) -> Any:
    decoded = decode_request(json.dumps({"input": items})).input
    assert isinstance(decoded, tuple)
    found = units_of(decoded)
    assert all(unit.items == tuple(decoded[p] for p in unit.positions) for unit in found)
    return found


def test_a_call_belongs_to_its_output() -> None:
    assert units(USER, call("a"), output("a"), USER) == [(0,), (1, 2), (3,)]


def test_a_call_belongs_to_an_output_that_comes_late() -> None:
    assert units(call("a"), USER, output("a")) == [(0, 2), (1,)]


def test_what_the_model_said_at_once_belongs_together() -> None:
    turn = (THOUGHT, SAID, call("a"), call("b"), output("b"), output("a"))
    assert units(USER, *turn, SAID) == [(0,), (1, 2, 3, 4, 5, 6), (7,)]


def test_the_next_step_of_a_loop_is_another_unit() -> None:
    assert units(THOUGHT, call("a"), output("a"), THOUGHT, call("b"), output("b")) == [
        (0, 1, 2),
        (3, 4, 5),
    ]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (call("c", "custom_tool_call"), output("c", "custom_tool_call_output")),
        (LOCAL, {"type": "local_shell_call_output", "id": "c1", "output": "done"}),
        (LOCAL, {"type": "local_shell_call_output", "call_id": "c1", "output": "done"}),
        (SEARCH, FOUND),
        (APPROVAL, APPROVED),
        (call("i", "invented_call"), output("i", "invented_call_output")),
    ],
    ids=["custom", "local shell by id", "local shell", "search of a server", "mcp", "invented"],
)
def test_every_kind_of_call_has_an_output(asked: dict[str, Any], answered: dict[str, Any]) -> None:
    assert units(asked, USER, answered) == [(0, 2), (1,)]


def test_a_call_of_an_mcp_server_ends_a_step_by_itself() -> None:
    assert units(THOUGHT, ran("a"), ran("b"), THOUGHT, ran("c"), SAID) == [(0, 1, 2), (3, 4), (5,)]


def test_calls_of_an_mcp_server_and_of_the_client_are_made_at_once() -> None:
    assert units(ran("a"), call("b"), ran("c"), output("b"), SAID) == [(0, 1, 2, 3), (4,)]


def test_a_request_its_approval_and_its_call_belong_together() -> None:
    items = (THOUGHT, APPROVAL, APPROVED, USER, ran("a", "r1"), ran("b"), SAID)
    assert units(*items) == [(0, 1, 2, 4), (3,), (5,), (6,)]


def test_an_output_without_a_call_stands_alone() -> None:
    unasked = {"type": "function_call_output", "output": "news"}
    assert units(call("a"), output("a"), output("b"), unasked) == [(0, 1), (2,), (3,)]


def test_instructions_the_last_user_and_the_last_unit_stay() -> None:
    assert staying(
        said_by("system"), USER, SAID, said_by("developer"), TOOLS, LISTED, USER, call("a"),
        output("a"), call("b"), output("b"),
    ) == [0, 3, 4, 5, 6, 9, 10]  # fmt: skip


def test_a_context_without_users_and_one_without_items_have_units() -> None:
    assert staying(SAID, call("a"), output("a")) == [0, 1, 2]
    assert units() == []
