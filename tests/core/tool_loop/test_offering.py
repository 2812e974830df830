"""The functions that stand for tools, and who has them."""

from __future__ import annotations

import pytest

from gateway.core.tool_loop.offering import Offering
from gateway.core.tool_loop.runners import Claim
from gateway.errors import InvalidRequestError
from gateway.plugin.tools import ToolFunction
from gateway.types.open import Unknown
from gateway.types.request import Request
from gateway.types.tools import FunctionChoice, FunctionTool, McpTool, WebSearchTool


def claim(label: str, position: int = 0) -> Claim:
    tool = McpTool(server_label=label, server_url="https://a.test", server_description="Books.")
    return Claim(position=position, tool=tool, runner=None)  # type: ignore[arg-type] - never run


def test_a_name_that_two_servers_could_mean_is_that_of_the_one_that_has_it() -> None:
    offering = Offering([(claim("a"), [ToolFunction(name="b__c")])])
    assert offering.find("mcp__a__b__c") is not None
    assert offering.of_server("a", "b__c") is not None
    assert offering.of_server("a__b", "c") is None


def test_two_functions_of_one_name_are_refused() -> None:
    functions = [ToolFunction(name="b__c")], [ToolFunction(name="c")]
    with pytest.raises(InvalidRequestError) as raised:
        Offering([(claim("a"), functions[0]), (claim("a__b", 1), functions[1])])
    assert raised.value.param == "tools[1]"


def test_a_tool_of_any_type_is_chosen_by_it() -> None:
    glossary = Unknown({"type": "glossary"})
    claimed = Claim(position=0, tool=glossary, runner=None)  # type: ignore[arg-type] - never run
    offering = Offering([(claimed, [ToolFunction(name="look_up")])])
    choice = Unknown({"type": "glossary"})
    request = Request(model="m", tools=(glossary,), tool_choice=choice)
    assert offering.write(request, "first").tool_choice == FunctionChoice(name="look_up")
    assert offering.write(request, "further").tool_choice == "auto"
    assert offering.write(request, "last").tool_choice == "none"


def test_functions_take_the_place_of_tools_and_paths_lead_back() -> None:
    find = FunctionTool(name="find")
    asked = (WebSearchTool(), McpTool(server_label="a"), find)
    functions = [ToolFunction(name="x", description="Reads."), ToolFunction(name="y")]
    offering = Offering([(claim("a", 1), functions)])
    tools = offering.write(Request(model="m", tools=asked), "first").tools or ()
    assert [getattr(tool, "name", tool.type) for tool in tools] == [
        "web_search",
        "find",
        "mcp__a__x",
        "mcp__a__y",
    ]
    described = [tool.description for tool in tools[2:] if isinstance(tool, FunctionTool)]
    assert described == ["Reads.\n\nAll functions of a: Books.", None]
    assert offering.param("tools[1].strict", asked) == "tools[2].strict"
    assert offering.param("tools[3].strict", asked) == "tools"
    assert offering.param("input[0]", asked) == "input[0]"
