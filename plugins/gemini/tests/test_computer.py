"""Computer use: what Gemini wants done on a screen, as actions, and back again."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.types.computer_items import ComputerCall, ComputerCallOutput
from gateway.types.open import decode_hook
from gateway.types.request import Request, decode_request
from gateway_gemini.computer import computer_calls
from gateway_gemini.computer_history import ComputerWriter, function_responses
from gateway_gemini.functions import Generation
from gateway_gemini.sizes import Size

SCREEN = Size(1440, 900)
ENTER = {"type": "keypress", "keys": ["ENTER"]}
READ: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("click", {"x": 500, "y": 250}, [{"type": "click", "x": 720, "y": 225, "button": "left"}]),
    ("click_at", {"x": 0, "y": 999}, [{"type": "click", "x": 0, "y": 899, "button": "left"}]),
    ("right_click", {"x": 1, "y": 1}, [{"type": "click", "x": 1, "y": 1, "button": "right"}]),
    ("middle_click", {"x": 1, "y": 1}, [{"type": "click", "x": 1, "y": 1, "button": "wheel"}]),
    ("double_click", {"x": 1, "y": 1}, [{"type": "double_click", "x": 1, "y": 1}]),
    (
        "triple_click",
        {"x": 1, "y": 1},
        [
            {"type": "double_click", "x": 1, "y": 1},
            {"type": "click", "x": 1, "y": 1, "button": "left"},
        ],
    ),
    ("move", {"x": 100, "y": 100}, [{"type": "move", "x": 144, "y": 90}]),
    ("hover_at", {"x": 100, "y": 100}, [{"type": "move", "x": 144, "y": 90}]),
    ("type", {"text": "hi"}, [{"type": "type", "text": "hi"}]),
    ("type", {"text": "hi", "press_enter": True}, [{"type": "type", "text": "hi"}, ENTER]),
    (
        "type_text_at",
        {"x": 100, "y": 100, "text": "hi"},
        [
            {"type": "click", "x": 144, "y": 90, "button": "left"},
            {"type": "keypress", "keys": ["CTRL", "A"]},
            {"type": "keypress", "keys": ["DELETE"]},
            {"type": "type", "text": "hi"},
            ENTER,
        ],
    ),
    (
        "type_text_at",
        {"x": 100, "y": 100, "text": "", "press_enter": False, "clear_before_typing": False},
        [
            {"type": "click", "x": 144, "y": 90, "button": "left"},
            {"type": "type", "text": ""},
        ],
    ),
    ("press_key", {"key": "Escape"}, [{"type": "keypress", "keys": ["ESC"]}]),
    ("hotkey", {"keys": ["Control", "c"]}, [{"type": "keypress", "keys": ["CTRL", "C"]}]),
    (
        "key_combination",
        {"keys": "Control+Shift+ArrowLeft"},
        [{"type": "keypress", "keys": ["CTRL", "SHIFT", "ARROWLEFT"]}],
    ),
    (
        "scroll",
        {"x": 500, "y": 500, "direction": "up"},
        [{"type": "scroll", "x": 720, "y": 450, "scroll_x": 0, "scroll_y": -300}],
    ),
    (
        "scroll",
        {"x": 500, "y": 500, "direction": "right", "magnitude_in_pixels": 120},
        [{"type": "scroll", "x": 720, "y": 450, "scroll_x": 120, "scroll_y": 0}],
    ),
    (
        "scroll_at",
        {"x": 500, "y": 500, "direction": "down"},
        [{"type": "scroll", "x": 720, "y": 450, "scroll_x": 0, "scroll_y": 720}],
    ),
    (
        "scroll_document",
        {"direction": "left"},
        [{"type": "scroll", "x": 720, "y": 450, "scroll_x": -1152, "scroll_y": 0}],
    ),
    (
        "drag_and_drop",
        {"start_x": 0, "start_y": 0, "end_x": 500, "end_y": 500},
        [{"type": "drag", "path": [{"x": 0, "y": 0}, {"x": 720, "y": 450}]}],
    ),
    (
        "drag_and_drop",
        {"x": 500, "y": 500, "destination_x": 0, "destination_y": 0},
        [{"type": "drag", "path": [{"x": 720, "y": 450}, {"x": 0, "y": 0}]}],
    ),
    ("wait", {"seconds": 2}, [{"type": "wait"}]),
    ("wait_5_seconds", {}, [{"type": "wait"}]),
    ("take_screenshot", {}, [{"type": "screenshot"}]),
    ("open_web_browser", {}, [{"type": "screenshot"}]),
    ("go_back", {}, [{"type": "keypress", "keys": ["ALT", "ARROWLEFT"]}]),
    ("go_forward", {}, [{"type": "keypress", "keys": ["ALT", "ARROWRIGHT"]}]),
    (
        "navigate",
        {"url": "https://example.test"},
        [
            {"type": "keypress", "keys": ["CTRL", "L"]},
            {"type": "type", "text": "https://example.test"},
            ENTER,
        ],
    ),
]


def told(name: str, arguments: dict[str, Any], call_id: str = "call_1") -> dict[str, Any]:
    return {"id": call_id, "name": name, "args": arguments}


def call_of(*actions: dict[str, Any], **fields: Any) -> ComputerCall:
    value = {"type": "computer_call", "call_id": "call_1", "actions": actions, **fields}
    return msgspec.convert(value, ComputerCall, dec_hook=decode_hook)


def request_of(kind: str = "computer", size: Size | None = SCREEN) -> Request:
    tool: dict[str, Any] = {"type": kind}
    if size and kind != "computer":
        tool |= {"display_width": size.width, "display_height": size.height}
        tool["environment"] = "browser"
    return decode_request(msgspec.json.encode({"model": "m", "input": "Go.", "tools": [tool]}))


def read(
    said: dict[str, Any], size: Size | None = SCREEN, kind: str = "computer"
) -> list[ComputerCall]:
    return computer_calls(request_of(kind), said, size)


def write(
    call: ComputerCall, generation: Generation = "newer", size: Size = SCREEN
) -> list[dict[str, Any]]:
    return ComputerWriter(request_of("computer_use_preview", size), generation).write(call, ())


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def output_of(data: str = "data:image/png;base64,AAAA", *acknowledged: str) -> ComputerCallOutput:
    value = {
        "type": "computer_call_output",
        "call_id": "call_1",
        "output": {"type": "computer_screenshot", "image_url": data},
        "acknowledged_safety_checks": [{"id": name} for name in acknowledged],
    }
    return msgspec.convert(value, ComputerCallOutput)


@pytest.mark.parametrize(("name", "arguments", "actions"), READ)
def test_a_function_of_gemini_is_a_batch_of_actions(
    name: str, arguments: dict[str, Any], actions: list[dict[str, Any]]
) -> None:
    [call] = read(told(name, {**arguments, "intent": "why"}))
    assert plain(call) == {
        "type": "computer_call",
        "call_id": "call_1",
        "status": "completed",
        "pending_safety_checks": [],
        "actions": actions,
    }


def test_the_older_tool_gets_one_call_for_each_action() -> None:
    said = told("type", {"text": "hi", "press_enter": True})
    calls = plain(read(said, kind="computer_use_preview"))
    assert [(call["call_id"], call["action"]) for call in calls] == [
        ("call_1", {"type": "type", "text": "hi"}),
        ("call_1-2", ENTER),
    ]
    assert not any("actions" in call for call in calls)


def test_a_function_of_the_clients_own_is_none_of_the_screen() -> None:
    assert read(told("weather", {"x": 1})) == []


@pytest.mark.parametrize("name", ["click", "drag_and_drop", "scroll", "scroll_at"])
def test_who_does_not_know_the_screen_looks_at_it_first(name: str) -> None:
    [call] = plain(read(told(name, {}), None))
    assert call["actions"] == [{"type": "screenshot"}]


def test_typing_needs_no_size_of_the_screen() -> None:
    [call] = plain(read(told("type", {"text": "hi"}), None))
    assert call["actions"] == [{"type": "type", "text": "hi"}]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("click", {"x": "left", "y": 1}),
        ("click", {"x": None, "y": 1}),
        ("type", {"text": 7}),
        ("hotkey", {"keys": 7}),
        ("hotkey", {"keys": [7]}),
        ("scroll", {"x": 1, "y": 1, "magnitude_in_pixels": "far"}),
        ("click", {"x": 1, "y": 1, "safety_decision": "no"}),
        ("click", {"x": 1e400, "y": 1}),
    ],
)
def test_a_call_that_makes_no_sense_is_the_upstreams_fault(
    name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(UpstreamProtocolError, match=f"a broken call of {name}"):
        read(told(name, arguments))


def test_a_safety_decision_is_a_pending_check_and_comes_back_when_acknowledged() -> None:
    decision = {"decision": "require_confirmation", "explanation": "It costs money."}
    said = told("click", {"x": 500, "y": 500, "safety_decision": decision})
    [call] = read(said)
    check = {"id": "sc_call_1", "code": "require_confirmation", "message": "It costs money."}
    assert plain(call.pending_safety_checks) == [check]
    calls = write(call)
    assert calls == [told("click", {"x": 500, "y": 500, "safety_decision": decision})]
    [response] = function_responses(call, calls, output_of("data:image/png;base64,AA", "sc_call_1"))
    assert response["response"] == {"url": "", "safety_acknowledgement": True}


def test_a_safety_check_that_nobody_acknowledged_stops_the_conversation() -> None:
    call = call_of({"type": "wait"}, pending_safety_checks=[{"id": "sc_1"}])
    with pytest.raises(InvalidRequestError, match=r"sc_1.*acknowledged_safety_checks") as caught:
        function_responses(call, write(call), output_of())
    assert caught.value.param == "input"


def test_a_batch_is_as_many_calls_and_the_screenshot_answers_the_last() -> None:
    keys = {"type": "keypress", "keys": ["CTRL", "S"]}
    call = call_of({"type": "click", "x": 720, "y": 450}, {"type": "type", "text": "hi"}, keys)
    calls = write(call)
    assert calls == [
        told("click", {"x": 500, "y": 500}),
        told("type", {"text": "hi"}, "call_1-2"),
        told("hotkey", {"keys": ["Control", "S"]}, "call_1-3"),
    ]
    responses = function_responses(call, calls, output_of())
    assert [(one["id"], one["name"]) for one in responses] == [
        (one["id"], one["name"]) for one in calls
    ]
    assert [one.get("parts") for one in responses] == [
        None,
        None,
        [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
    ]


def test_a_screenshot_from_elsewhere_is_refused() -> None:
    call = call_of({"type": "screenshot"})
    with pytest.raises(InvalidRequestError, match="data: URL"):
        function_responses(call, write(call), output_of("https://example.test/a.png"))


def test_an_action_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="'juggle'"):
        write(call_of({"type": "juggle"}))


def test_clicks_in_two_places_are_two_calls() -> None:
    clicks = call_of({"type": "double_click", "x": 0, "y": 0}, {"type": "click", "x": 9, "y": 9})
    assert [one["name"] for one in write(clicks)] == ["double_click", "click"]


def test_a_drag_to_nowhere_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="path"):
        write(call_of({"type": "drag", "path": []}))


def test_a_call_without_an_action_is_for_the_screenshot() -> None:
    assert write(call_of()) == [told("take_screenshot", {})]


def test_the_one_action_of_an_older_call_is_written_too() -> None:
    value = {"type": "computer_call", "call_id": "call_1", "action": {"type": "wait"}}
    call = msgspec.convert(value, ComputerCall, dec_hook=decode_hook)
    assert write(call) == [told("wait", {})]


OLDER: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"type": "click", "x": 720, "y": 450}, "click_at", {"x": 500, "y": 500}),
    ({"type": "double_click", "x": 720, "y": 450}, "click_at", {"x": 500, "y": 500}),
    ({"type": "move", "x": 720, "y": 450}, "hover_at", {"x": 500, "y": 500}),
    ({"type": "keypress", "keys": ["CTRL", "C"]}, "key_combination", {"keys": "Control+C"}),
    ({"type": "wait"}, "wait_5_seconds", {}),
    ({"type": "screenshot"}, "open_web_browser", {}),
    (
        {"type": "scroll", "x": 720, "y": 450, "scroll_x": 0, "scroll_y": 450},
        "scroll_at",
        {"x": 500, "y": 500, "direction": "down", "magnitude": 500},
    ),
    (
        {"type": "drag", "path": [{"x": 0, "y": 0}, {"x": 9, "y": 9}, {"x": 720, "y": 450}]},
        "drag_and_drop",
        {"x": 0, "y": 0, "destination_x": 500, "destination_y": 500},
    ),
    (
        {"type": "type", "text": "hi"},
        "type_text_at",
        {"x": 500, "y": 500, "text": "hi", "press_enter": False, "clear_before_typing": False},
    ),
]


@pytest.mark.parametrize(("action", "name", "arguments"), OLDER)
def test_an_older_model_reads_its_own_names(
    action: dict[str, Any], name: str, arguments: dict[str, Any]
) -> None:
    assert write(call_of(action), "older") == [told(name, arguments)]


def test_an_older_model_types_where_it_clicked_before() -> None:
    writer = ComputerWriter(request_of("computer_use_preview"), "older")
    writer.write(call_of({"type": "click", "x": 144, "y": 90}), ())
    [typed] = writer.write(call_of({"type": "type", "text": "hi"}), ())
    assert (typed["args"]["x"], typed["args"]["y"]) == (100, 100)


@pytest.mark.parametrize(
    ("generation", "name", "arguments"),
    [
        ("newer", "type", {"text": "hi"}),
        ("newer", "type", {"text": "hi", "press_enter": True}),
        ("newer", "triple_click", {"x": 1, "y": 2}),
        ("newer", "press_key", {"key": "PageUp"}),
        ("newer", "hotkey", {"keys": ["Control", "Shift", "ArrowLeft"]}),
        ("newer", "go_back", {}),
        ("newer", "navigate", {"url": "https://example.test"}),
        ("newer", "scroll", {"x": 9, "y": 9, "direction": "left", "magnitude_in_pixels": 7}),
        ("newer", "drag_and_drop", {"start_x": 1, "start_y": 2, "end_x": 3, "end_y": 4}),
        ("older", "type_text_at", {"x": 1, "y": 2, "text": "hi"}),
        ("older", "type_text_at", {"x": 1, "y": 2, "text": "hi", "press_enter": False}),
        ("older", "type_text_at", {"x": 1, "y": 2, "text": "", "clear_before_typing": False}),
        ("older", "scroll_at", {"x": 9, "y": 9, "direction": "up", "magnitude": 80}),
        ("older", "go_forward", {}),
        ("older", "key_combination", {"keys": "Control+A"}),
        ("older", "navigate", {"url": "https://example.test"}),
        ("older", "drag_and_drop", {"x": 1, "y": 2, "destination_x": 3, "destination_y": 4}),
    ],
)
def test_what_one_function_did_is_one_call_of_it_again(
    generation: Generation, name: str, arguments: dict[str, Any]
) -> None:
    said, size = told(name, arguments), Size(2000, 2000)
    [call] = read(said, size)
    assert write(call, generation, size) == [said]


@given(
    x=st.integers(0, 999),
    y=st.integers(0, 999),
    width=st.integers(1000, 4096),
    height=st.integers(1000, 4096),
)
def test_places_survive_the_way_there_and_back(x: int, y: int, width: int, height: int) -> None:
    said, size = told("click", {"x": x, "y": y}), Size(width, height)
    [call] = read(said, size)
    assert write(call, size=size) == [said]


def test_the_last_place_of_the_grid_is_999() -> None:
    far = {"type": "move", "x": 1440, "y": 900}
    assert write(call_of(far))[0]["args"] == {"x": 999, "y": 999}


@given(x=st.integers(-9999, 9999), y=st.integers(-9999, 9999))
def test_no_place_is_off_the_grid(x: int, y: int) -> None:
    [written] = write(call_of({"type": "move", "x": x, "y": y}), size=Size(10, 10))
    assert 0 <= written["args"]["x"] <= 999
    assert 0 <= written["args"]["y"] <= 999
