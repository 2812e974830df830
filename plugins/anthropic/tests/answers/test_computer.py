"""Claude's computer calls and OpenAI's, both ways; all of it is invented."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.types import computer_items as c
from gateway.types.request import decode_request
from gateway_anthropic.computer import ComputerReader, blocks_of, results_of, toolset

TOOL = {"tools": [{"type": "computer"}]}
PREVIEW = {
    "tools": [
        {
            "type": "computer_use_preview",
            "display_width": 1024,
            "display_height": 768,
            "environment": "browser",
        }
    ]
}
PAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("left_click", {"coordinate": [1, 2]}, {"type": "click", "button": "left", "x": 1, "y": 2}),
    ("right_click", {"coordinate": [1, 2]}, {"type": "click", "button": "right", "x": 1, "y": 2}),
    ("middle_click", {"coordinate": [1, 2]}, {"type": "click", "button": "wheel", "x": 1, "y": 2}),
    (
        "left_click",
        {"coordinate": [1, 2], "text": "ctrl+shift"},
        {"type": "click", "button": "left", "x": 1, "y": 2, "keys": ["CTRL", "SHIFT"]},
    ),
    ("double_click", {"coordinate": [1, 2]}, {"type": "double_click", "x": 1, "y": 2}),
    ("mouse_move", {"coordinate": [1, 2]}, {"type": "move", "x": 1, "y": 2}),
    (
        "left_click_drag",
        {"start_coordinate": [1, 2], "coordinate": [3, 4]},
        {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
    ),
    (
        "scroll",
        {"coordinate": [1, 2], "scroll_direction": "up", "scroll_amount": 3},
        {"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": -300},
    ),
    (
        "scroll",
        {"coordinate": [1, 2], "scroll_direction": "right", "scroll_amount": 2},
        {"type": "scroll", "x": 1, "y": 2, "scroll_x": 200, "scroll_y": 0},
    ),
    ("key", {"text": "ctrl+s"}, {"type": "keypress", "keys": ["CTRL", "S"]}),
    ("key", {"text": "Page_Down"}, {"type": "keypress", "keys": ["PAGEDOWN"]}),
    ("key", {"text": "super+plus"}, {"type": "keypress", "keys": ["META", "+"]}),
    ("type", {"text": "Tab, not the key"}, {"type": "type", "text": "Tab, not the key"}),
    ("wait", {"duration": 1}, {"type": "wait"}),
    ("screenshot", {}, {"type": "screenshot"}),
]


def use(name: str, given: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {
        "type": "tool_use",
        "id": f"toolu_{number}",
        "name": name,
        "input": given,
        "toolset_name": "computer",
    }


def told(call: c.ComputerCall) -> list[dict[str, Any]]:
    return msgspec.json.decode(msgspec.json.encode(call.actions or [call.action]))


def call_with(*actions: dict[str, Any]) -> c.ComputerCall:
    item = {"type": "computer_call", "call_id": "toolu_1", "actions": actions}
    request = decode_request(msgspec.json.encode({"input": [item]}))
    assert isinstance(request.input, tuple)
    (call,) = request.input
    assert isinstance(call, c.ComputerCall)
    return call


@pytest.mark.parametrize(("name", "given", "action"), PAIRS)
def test_each_member_of_the_toolset_is_an_action(
    answer: Callable[..., Any], name: str, given: dict[str, Any], action: dict[str, Any]
) -> None:
    (call,) = answer(use(name, given), stop="tool_use", request=TOOL).items("computer_call")
    assert told(call) == [action]
    assert (call.call_id, call.status) == ("toolu_1", "completed")
    assert call.pending_safety_checks == ()


@pytest.mark.parametrize(("name", "given", "action"), PAIRS)
def test_each_action_is_a_member_of_the_toolset(
    name: str, given: dict[str, Any], action: dict[str, Any]
) -> None:
    (block,) = blocks_of(call_with(action))
    assert block == use(name, given)


def test_calls_that_follow_on_each_other_are_one_batch(answer: Callable[..., Any]) -> None:
    uses = [use(name, given, number) for number, (name, given, _) in enumerate(PAIRS, 1)]
    outcome = answer({"type": "text", "text": "Now."}, *uses, stop="tool_use", request=TOOL)
    assert outcome.types == ["message", "computer_call"]
    assert told(outcome.items("computer_call")[0]) == [action for _, _, action in PAIRS]


def test_a_call_of_another_tool_ends_a_batch(answer: Callable[..., Any]) -> None:
    other = {"type": "tool_use", "id": "toolu_9", "name": "weather", "input": {}}
    uses = use("screenshot", {}), other, use("screenshot", {}, 2)
    outcome = answer(*uses, stop="tool_use", request=TOOL)
    assert outcome.types == ["computer_call", "function_call", "computer_call"]


def test_the_preview_is_told_one_action_at_a_time(answer: Callable[..., Any]) -> None:
    uses = use("key", {"text": "Tab", "repeat": 2}), use("screenshot", {}, 2)
    calls = answer(*uses, stop="tool_use", request=PREVIEW).items("computer_call")
    assert [call.call_id for call in calls] == ["toolu_1", "toolu_1-2", "toolu_1-3"]
    assert [told(call)[0]["type"] for call in calls] == ["keypress", "keypress", "screenshot"]
    assert all(not call.actions for call in calls)


def test_a_key_that_is_repeated_is_pressed_as_often(answer: Callable[..., Any]) -> None:
    pressed = use("key", {"text": "Down", "repeat": 3})
    (call,) = answer(pressed, stop="tool_use", request=TOOL).items("computer_call")
    assert told(call) == [{"type": "keypress", "keys": ["ARROWDOWN"]}] * 3


def test_calls_of_the_older_tool_are_read_as_well(answer: Callable[..., Any]) -> None:
    block = use("computer", {"action": "left_click", "coordinate": [1, 2]})
    del block["toolset_name"]
    (call,) = answer(block, stop="tool_use", request=TOOL).items("computer_call")
    assert told(call)[0]["type"] == "click"
    assert answer(block, stop="tool_use").types == ["function_call"]


@pytest.mark.parametrize(
    "earlier",
    [
        {"type": "move", "x": 7, "y": 8},
        {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 7, "y": 8}]},
    ],
)
def test_without_a_place_it_is_done_where_the_mouse_is(
    answer: Callable[..., Any], earlier: dict[str, Any]
) -> None:
    screen = {"type": "computer_screenshot", "image_url": "data:image/png;base64,aGk="}
    history = [
        {"type": "computer_call", "call_id": "toolu_0", "actions": [earlier]},
        {"type": "computer_call_output", "call_id": "toolu_0", "output": screen},
    ]
    outcome = answer(use("left_click", {}), stop="tool_use", request={**TOOL, "input": history})
    assert told(outcome.items("computer_call")[0])[0].items() >= {"x": 7, "y": 8}.items()


@pytest.mark.parametrize("block", [use("left_click", {}), use("zoom", {"region": [0, 0, 1, 1]})])
def test_what_cannot_be_told_fails_the_response(
    read: Callable[..., Any], streamed: Callable[..., bytes], block: dict[str, Any]
) -> None:
    outcome = read([streamed(block, stop="tool_use")], request=TOOL)
    assert isinstance(outcome.error, UpstreamProtocolError)


def test_a_call_that_was_cut_is_left_out(
    read: Callable[..., Any], streamed: Callable[..., bytes]
) -> None:
    body = streamed(use("type", {"text": "cats"}), stop="max_tokens")
    outcome = read([body.replace(rb"cats\"}", b"")], request=TOOL)
    assert outcome.response.status == "incomplete"
    assert outcome.types == []


def test_what_has_no_equal_is_not_offered() -> None:
    known = {name for name, _, _ in PAIRS}
    assert known.isdisjoint(toolset()["configs"])


@pytest.mark.parametrize(
    ("action", "name", "given"),
    [
        ({"type": "click", "button": "back", "x": 1, "y": 2}, "key", {"text": "alt+Left"}),
        ({"type": "keypress", "keys": ["CMD", "Option", "a"]}, "key", {"text": "super+alt+a"}),
        (
            {"type": "scroll", "x": 1, "y": 2, "scroll_x": 0, "scroll_y": 250},
            "scroll",
            {"coordinate": [1, 2], "scroll_direction": "down", "scroll_amount": 3},
        ),
    ],
)
def test_what_only_openai_has_is_said_as_well_as_can_be(
    action: dict[str, Any], name: str, given: dict[str, Any]
) -> None:
    (block,) = blocks_of(call_with(action))
    assert (block["name"], block["input"]) == (name, given)


def test_an_action_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        blocks_of(call_with({"type": "not_invented_yet"}))


def test_the_last_result_of_a_batch_holds_the_screenshot() -> None:
    call = call_with({"type": "type", "text": "a"}, {"type": "wait"})
    image = {"type": "image", "source": {"type": "url", "url": "https://a.example/1.png"}}
    *others, last = results_of(call, image)
    assert [block["id"] for block in blocks_of(call)] == [
        result["tool_use_id"] for result in (*others, last)
    ]
    assert {part["type"] for result in others for part in result["content"]} == {"text"}
    shown = {**image, "transformations": {"oversized_image": "error"}}
    assert last["content"] == [shown]


places = st.fixed_dictionaries({"x": st.integers(0, 4000), "y": st.integers(0, 4000)})
actions = st.one_of(
    places.map(lambda place: {"type": "click", "button": "left", **place}),
    places.map(lambda place: {"type": "double_click", **place}),
    places.map(lambda place: {"type": "move", **place}),
    st.tuples(places, places).map(lambda path: {"type": "drag", "path": list(path)}),
    st.tuples(places, st.integers(-9, 9)).map(
        lambda told: {"type": "scroll", "scroll_x": 0, "scroll_y": told[1] * 100, **told[0]}
    ),
    st.text(min_size=1).map(lambda text: {"type": "type", "text": text}),
    st.sampled_from([{"type": "wait"}, {"type": "screenshot"}]),
    st.sampled_from("abcz059").map(lambda key: {"type": "keypress", "keys": ["CTRL", key.upper()]}),
)


@given(st.lists(actions, min_size=1, max_size=6))
def test_a_batch_that_went_to_claude_comes_back_the_same(batch: list[dict[str, Any]]) -> None:
    reader = ComputerReader(decode_request(b"{}"))
    for block in blocks_of(call_with(*batch)):
        reader.add(block)
    (read,) = reader.flush()
    assert isinstance(read.item, c.ComputerCall)
    assert told(read.item) == batch
