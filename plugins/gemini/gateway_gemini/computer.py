"""Computer use, both ways: Gemini's predefined functions and the actions of Responses.

Gemini 3.5 brought names of its own; older models know fewer functions. All count coordinates from 0
to 999, whatever the size of the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any, Literal

import msgspec

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.types.computer_items import ComputerAction, ComputerCall, ComputerCallOutput
from gateway.types.open import decode_hook
from gateway_gemini.sizes import Size, split_data_url

__all__ = ["EXCLUDED", "Generation", "computer_calls", "function_calls", "function_responses"]

Generation = Literal["older", "newer"]
Json = dict[str, Any]

EXCLUDED: Mapping[Generation, tuple[str, ...]] = {
    "older": ("search",),
    "newer": ("mouse_down", "mouse_up", "key_down", "key_up"),
}
"""Predefined functions that no action of Responses can express, to be left out of the tool."""

_GRID = 1000
_CONFIRM = "require_confirmation"
_KEYS = {"CTRL": "Control", "ESC": "Escape", "PAGEUP": "PageUp", "PAGEDOWN": "PageDown"} | {
    f"ARROW{way.upper()}": f"Arrow{way}" for way in ("Up", "Down", "Left", "Right")
}
_OUR_KEYS = {theirs.upper(): ours for ours, theirs in _KEYS.items()}


def computer_calls(said: Json, size: Size | None, *, batched: bool) -> list[ComputerCall]:
    """Return what the `functionCall` that was `said` wants done; nothing if it is no such function.

    `batched` is for the tool `computer`, whose calls hold all their actions: with the older tool
    there is a call for each. A model that does not know the `size` of the screen gets to see it
    first. Raises `UpstreamProtocolError`.
    """
    name, call_id = str(said["name"]), str(said["id"])
    read = _READ.get(_SAME_AS.get(name, name))
    if read is None:
        return []
    told = _Told(said["args"], size)
    try:
        actions = _look_or(read, told)
        if batched:
            calls: list[Json] = [{"call_id": call_id, "actions": actions}]
        else:
            named = zip(_ids(call_id), actions, strict=False)
            calls = [{"call_id": each, "action": action} for each, action in named]
        calls[0]["pending_safety_checks"] = told.checks(call_id)
        done = [{"type": "computer_call", "status": "completed", **call} for call in calls]
        return msgspec.convert(done, list[ComputerCall], dec_hook=decode_hook)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise UpstreamProtocolError(f"gemini sent a broken call of {name}: {error}") from error


def function_calls(call: ComputerCall, size: Size | None, generation: Generation) -> list[Json]:
    """Write `call` as the `functionCall`s that a model of `generation` makes for it.

    `size` is that of the screen at the time. Raises `InvalidRequestError` for unknown actions.
    """
    pen = _Pen(size or Size(_GRID, _GRID))
    actions: Sequence[ComputerAction] = call.actions or ((call.action,) if call.action else ())
    written: list[Json] = []
    for name, action in zip(_ids(call.call_id), actions, strict=False):
        write = _WRITE.get(action.type)
        if write is None:
            raise InvalidRequestError(
                f"this model knows no computer action {action.type!r}", param="input"
            )
        function, arguments = write(pen, action)
        if generation == "older":
            function, arguments = pen.aged(function, arguments)
        written.append({"id": name, "name": function, "args": arguments})
    for check in call.pending_safety_checks[:1]:
        decision = {"decision": _CONFIRM, "explanation": check.message or ""}
        written[0]["args"]["safety_decision"] = decision
    return written


def function_responses(
    call: ComputerCall, calls: Sequence[Json], output: ComputerCallOutput
) -> list[Json]:
    """Write `output` as a `functionResponse` for each of `calls`, as which `call` was written.

    Raises `InvalidRequestError` if a safety check was not acknowledged, or the screenshot is not
    in the request itself.
    """
    acknowledged = {check.id for check in output.acknowledged_safety_checks or ()}
    if missing := [one.id for one in call.pending_safety_checks if one.id not in acknowledged]:
        raise InvalidRequestError(
            f"computer call {call.call_id} has the safety check {missing[0]}: name it in"
            " acknowledged_safety_checks to go on",
            param="input",
        )
    screenshot = split_data_url(output.output.image_url or "")
    if screenshot is None:
        raise InvalidRequestError("a screenshot must be a data: URL in base64", param="input")
    said = {"url": ""} | ({"safety_acknowledgement": True} if acknowledged else {})
    responses: list[Json] = [
        {"id": one["id"], "name": one["name"], "response": said} for one in calls
    ]
    image = {"mimeType": screenshot[0], "data": screenshot[1]}
    responses[-1]["parts"] = [{"inlineData": image}]
    return responses


class _Told:
    """What a function was called with, read as actions on a screen of `size`."""

    def __init__(self, arguments: Json, size: Size | None) -> None:
        self.arguments = arguments
        self._size = size

    def part(self, name: str, side: Literal["width", "height"], default: float = 500) -> int:
        """Return a part of 1000 of the screen's `side` in pixels. Raises `LookupError`."""
        if self._size is None:
            raise LookupError(side)
        return round(float(self.arguments.get(name, default)) * getattr(self._size, side) / _GRID)

    def place(self, prefix: str = "") -> Json:
        return {"x": self.part(f"{prefix}x", "width"), "y": self.part(f"{prefix}y", "height")}

    def point(self, kind: str, **more: str) -> list[Json]:
        return [{"type": kind, **self.place(), **more}]

    def drag(self) -> list[Json]:
        ends = ("", "destination_") if "destination_x" in self.arguments else ("start_", "end_")
        return [{"type": "drag", "path": [*map(self.place, ends)]}]

    def press(self) -> list[Json]:
        told = self.arguments.get("keys") or self.arguments.get("key") or ""
        keys = told.split("+") if isinstance(told, str) else told
        return _press(*(_OUR_KEYS.get(key.upper(), key.upper()) for key in keys))

    def scroll(self) -> list[Json]:
        way = self.arguments.get("direction", "down")
        far = self.part("magnitude", "width" if way in ("left", "right") else "height", 800)
        return self.scroll_by(far)

    def scroll_by(self, pixels: int) -> list[Json]:
        way = self.arguments.get("direction", "down")
        far = -pixels if way in ("up", "left") else pixels
        x, y = (far, 0) if way in ("left", "right") else (0, far)
        return [{"type": "scroll", **self.place(), "scroll_x": x, "scroll_y": y}]

    def type(self, *, enter: bool) -> list[Json]:
        wanted = self.arguments.get("press_enter", enter)
        typed = {"type": "type", "text": self.arguments.get("text", "")}
        return [typed, *(_press("ENTER") if wanted else [])]

    def type_at(self) -> list[Json]:
        clear = self.arguments.get("clear_before_typing", True)
        cleared = _press("CTRL", "A") + _press("DELETE") if clear else []
        return [*self.point("click"), *cleared, *self.type(enter=True)]

    def checks(self, call_id: str) -> list[Json]:
        decision: Any = self.arguments.get("safety_decision")
        if not decision or decision.get("decision") != _CONFIRM:
            return []
        message = decision.get("explanation", "")
        return [{"id": f"sc_{call_id}", "code": _CONFIRM, "message": message}]


def _look_or(read: Callable[[_Told], list[Json]], told: _Told) -> list[Json]:
    try:
        return read(told)
    except LookupError:
        return [{"type": "screenshot"}]


def _press(*keys: str) -> list[Json]:
    return [{"type": "keypress", "keys": keys}]


_SAME_AS = {
    "click_at": "click",
    "hover_at": "move",
    "key_combination": "hotkey",
    "scroll_document": "scroll_at",
    "wait_5_seconds": "wait",
    "open_web_browser": "take_screenshot",
}
_READ: Mapping[str, Callable[[_Told], list[Json]]] = {
    "click": lambda told: told.point("click"),
    "right_click": lambda told: told.point("click", button="right"),
    "middle_click": lambda told: told.point("click", button="wheel"),
    "double_click": lambda told: told.point("double_click"),
    "triple_click": lambda told: told.point("double_click") + told.point("click"),
    "move": lambda told: told.point("move"),
    "type": lambda told: told.type(enter=False),
    "type_text_at": _Told.type_at,
    "press_key": _Told.press,
    "hotkey": _Told.press,
    "scroll": lambda told: told.scroll_by(round(told.arguments.get("magnitude_in_pixels", 300))),
    "scroll_at": _Told.scroll,
    "drag_and_drop": _Told.drag,
    "wait": lambda _: [{"type": "wait"}],
    "take_screenshot": lambda _: [{"type": "screenshot"}],
    "go_back": lambda _: _press("ALT", "ARROWLEFT"),
    "go_forward": lambda _: _press("ALT", "ARROWRIGHT"),
    "navigate": lambda told: [
        *_press("CTRL", "L"),
        {"type": "type", "text": told.arguments.get("url", "")},
        *_press("ENTER"),
    ],
}


class _Pen:
    """Writes places on a screen of `size`, and remembers the latest."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._latest = {"x": _GRID // 2, "y": _GRID // 2}

    def at(self, place: Any) -> Json:
        parts = (place.x / self._size.width, place.y / self._size.height)
        x, y = (min(_GRID - 1, max(0, round(part * _GRID))) for part in parts)
        self._latest = {"x": x, "y": y}
        return dict(self._latest)

    def drag(self, action: Any) -> Json:
        ends = {"start": self.at(action.path[0]), "end": self.at(action.path[-1])}
        return {f"{end}_{axis}": ends[end][axis] for end in ends for axis in ("x", "y")}

    def scroll(self, action: Any) -> Json:
        along = abs(action.scroll_x) > abs(action.scroll_y)
        far = action.scroll_x if along else action.scroll_y
        ways = ("left", "right") if along else ("up", "down")
        return {**self.at(action), "direction": ways[far > 0], "magnitude_in_pixels": abs(far)}

    def aged(self, function: str, arguments: Json) -> tuple[str, Json]:
        """Return a call by the names of older models; they type only where they click."""
        if function == "type":
            arguments = {**self._latest, **arguments}
            arguments |= {"press_enter": False, "clear_before_typing": False}
        elif function == "hotkey":
            arguments = {"keys": "+".join(arguments["keys"])}
        elif function == "scroll":
            part = round(arguments.pop("magnitude_in_pixels") * _GRID / self._size.height)
            arguments["magnitude"] = min(_GRID - 1, part)
        return _AGED.get(function, function), {_AGED.get(n, n): v for n, v in arguments.items()}


_BUTTONS = {"right": "right_click", "wheel": "middle_click", "back": "go_back"}
_WRITE: Mapping[str, Callable[[_Pen, Any], tuple[str, Json]]] = {
    "click": lambda pen, action: (_BUTTONS.get(action.button, "click"), pen.at(action)),
    "double_click": lambda pen, action: ("double_click", pen.at(action)),
    "move": lambda pen, action: ("move", pen.at(action)),
    "drag": lambda pen, action: ("drag_and_drop", pen.drag(action)),
    "scroll": lambda pen, action: ("scroll", pen.scroll(action)),
    "keypress": lambda _pen, action: (
        "hotkey",
        {"keys": [_KEYS.get(key.upper(), key.capitalize()) for key in action.keys]},
    ),
    "type": lambda _pen, action: ("type", {"text": action.text}),
    "wait": lambda _pen, _action: ("wait", {}),
    "screenshot": lambda _pen, _action: ("take_screenshot", {}),
}
_AGED = {
    "click": "click_at",
    "right_click": "click_at",
    "middle_click": "click_at",
    "double_click": "click_at",
    "move": "hover_at",
    "hotkey": "key_combination",
    "scroll": "scroll_at",
    "type": "type_text_at",
    "wait": "wait_5_seconds",
    "take_screenshot": "open_web_browser",
    "start_x": "x",
    "start_y": "y",
    "end_x": "destination_x",
    "end_y": "destination_y",
}
"""Functions and arguments of newer models, by the names of older ones."""


def _ids(call_id: str) -> Iterator[str]:
    """Yield the ids of the calls that stand for one: its own, and others that follow from it."""
    return chain((call_id,), (f"{call_id}-{number}" for number in count(2)))
