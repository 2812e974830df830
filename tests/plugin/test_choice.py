"""What `tool_choice` leaves to the model is the same for every dialect."""

from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequestError
from gateway.plugin.choice import is_forced, offered_tools
from gateway.types.request import Request, decode_request

LOOK = {"type": "function", "name": "look"}
SEARCH = {"type": "web_search"}


def asking(choice: Any, *tools: dict[str, Any]) -> Request:
    return decode_request(msgspec.json.encode({"tools": tools, "tool_choice": choice}))


def allowing(mode: str, *tools: dict[str, Any]) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": tools}


@pytest.mark.parametrize(
    ("choice", "forced"),
    [
        (None, False),
        ("auto", False),
        ("none", False),
        (allowing("auto", LOOK), False),
        ("required", True),
        (LOOK, True),
        (SEARCH, True),
        (allowing("required", LOOK), True),
    ],
)
def test_a_choice_forces_a_call_or_does_not(choice: Any, forced: bool) -> None:
    request = asking(choice, LOOK, SEARCH)
    assert is_forced(request) is forced
    assert LOOK["name"] in [getattr(tool, "name", None) for tool in offered_tools(request)]


def test_only_allowed_tools_are_offered() -> None:
    offered = offered_tools(asking(allowing("auto", SEARCH), LOOK, SEARCH))
    assert [tool.type for tool in offered] == ["web_search"]


@pytest.mark.parametrize(
    "choice",
    ["required", LOOK, SEARCH, allowing("required", LOOK), {"type": "custom", "name": "a"}],
)
def test_a_tool_that_is_not_there_cannot_be_chosen(choice: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        offered_tools(asking(choice))
    assert caught.value.param == "tool_choice"
