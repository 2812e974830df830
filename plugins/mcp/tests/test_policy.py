"""Filters and approvals: all their forms, and no doubt that is decided against the client."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.plugin import ToolFunction
from gateway.types.tools import McpTool
from gateway_mcp.policy import Allowed, Approval, allows, needs_approval, offered

NAMES = ("ask", "delete", "read")
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "tool_names": st.lists(st.sampled_from(NAMES), max_size=2) | st.none(),
        "read_only": st.booleans() | st.none(),
    },
)
POLICIES = st.sampled_from(["always", "never", None]) | st.fixed_dictionaries(
    {}, optional={"always": FILTERS | st.none(), "never": FILTERS | st.none()}
)
ALLOWED = st.none() | st.lists(st.sampled_from(NAMES), max_size=2) | FILTERS
TOOLS = st.builds(
    ToolFunction, name=st.sampled_from(NAMES), read_only=st.sampled_from([None, True, False])
)
DANGEROUS = ToolFunction(name="delete", read_only=False)
HARMLESS = ToolFunction(name="read", read_only=True)
SILENT = ToolFunction(name="ask")


def written(**members: Any) -> McpTool:
    """Return a tool as a client writes it."""
    return msgspec.convert({"type": "mcp", "server_label": "docs", **members}, McpTool)


def policy(value: Any) -> Approval:
    return written(require_approval=value).require_approval


def allowed(value: Any) -> Allowed:
    return written(allowed_tools=value).allowed_tools


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (None, "ask delete read"),
        ("always", "ask delete read"),
        ("never", ""),
        ({}, "ask delete read"),
        ({"never": None, "always": None}, "ask delete read"),
        ({"never": {}}, ""),
        ({"always": {}}, "ask delete read"),
        ({"never": {"tool_names": ["ask"]}}, "delete read"),
        ({"never": {"tool_names": []}}, "ask delete read"),
        ({"always": {"tool_names": ["ask"]}}, "ask"),
        ({"never": {"read_only": True}}, "ask delete"),
        ({"never": {"read_only": False}}, "read"),
        ({"always": {"read_only": False}}, "ask delete"),
        ({"never": {"tool_names": ["read", "ask"], "read_only": True}}, "ask delete"),
        ({"always": {"tool_names": ["delete"]}, "never": {"tool_names": ["read"]}}, "ask delete"),
        ({"always": {"tool_names": ["read"]}, "never": {"read_only": True}}, "ask delete read"),
        ({"always": {"tool_names": ["delete"]}, "never": {}}, "delete"),
    ],
)
def test_approval_is_needed_unless_the_policy_leaves_no_doubt(value: Any, asked: str) -> None:
    tools = (SILENT, DANGEROUS, HARMLESS)
    assert [tool.name for tool in tools if needs_approval(policy(value), tool)] == asked.split()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, "ask delete read"),
        (["ask", "other"], "ask"),
        ([], ""),
        ({}, "ask delete read"),
        ({"tool_names": ["delete"]}, "delete"),
        ({"tool_names": None, "read_only": None}, "ask delete read"),
        ({"read_only": True}, "read"),
        ({"read_only": False}, "ask delete"),
        ({"tool_names": ["ask", "read"], "read_only": True}, "read"),
    ],
)
def test_only_allowed_tools_are_offered(value: Any, names: str) -> None:
    tools = offered((SILENT, DANGEROUS, HARMLESS), [allowed(value)], ["never"])
    assert [tool.name for tool in tools] == names.split()


@given(POLICIES, TOOLS)
def test_a_call_without_approval_was_exempted_by_a_rule(value: Any, tool: ToolFunction) -> None:
    if needs_approval(policy(value), tool) or value == "never":
        return
    assert isinstance(value, dict)
    never, always = value.get("never"), value.get("always")
    assert never is not None or always is not None
    if never is not None:
        assert allows(allowed(never), tool)
    if always is not None:
        assert not allows(allowed(always), tool)


@given(POLICIES, POLICIES, ALLOWED, ALLOWED, st.lists(TOOLS))
def test_more_rules_never_allow_more(
    one: Any, two: Any, some: Any, others: Any, tools: list[ToolFunction]
) -> None:
    """What an operator and a client both say is at least as strict as what either says alone."""
    both = offered(tools, [allowed(some), allowed(others)], [policy(one), policy(two)])
    for wanted, rule in ((some, one), (others, two)):
        alone = {tool.name: tool for tool in offered(tools, [allowed(wanted)], [policy(rule)])}
        names = {tool.name for tool in both}
        assert names <= alone.keys()
    free = {(tool.name, tool.read_only) for tool in both if not tool.needs_approval}
    for rule in (one, two):
        assert not any(
            needs_approval(policy(rule), tool)
            for tool in both
            if (tool.name, tool.read_only) in free
        )
