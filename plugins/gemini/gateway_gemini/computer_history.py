"""Computer calls and their screenshots, written as Gemini's function calls and responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.plugin.computer import Way, actions_of, scrolled, use_ids
from gateway.types import computer_items as c
from gateway.types.items import InputItem
from gateway.types.request import Request
from gateway_gemini.functions import ENDS, FUNCTIONS, GRID, Generation, their_keys
from gateway_gemini.parts import write_part
from gateway_gemini.sizes import Size, screen_size

__all__ = ["ComputerWriter", "function_responses"]

Json = dict[str, Any]

_Placed = c.Click | c.DoubleClick | c.Move


class ComputerWriter:
    """Writes the computer calls of one conversation, in their order."""

    def __init__(self, request: Request, generation: Generation) -> None:
        self._request = request
        self._is_older = generation == "older"
        self._known, self._ends = FUNCTIONS[generation], ENDS[generation]
        self._size = Size(GRID, GRID)
        self._latest = {"x": GRID // 2, "y": GRID // 2}

    def write(self, call: c.ComputerCall, before: Sequence[InputItem]) -> list[Json]:
        """Return the `functionCall`s for `call`, which stands after the items `before`.

        It is one, if one function does all that, else one for each action. Raises
        `InvalidRequestError` for an action that nobody knows.
        """
        self._size = screen_size(self._request, before) or self._size
        actions = actions_of(call)
        steps = [*map(_step, actions)]
        places = {(action.x, action.y) for action in actions if isinstance(action, _Placed)}
        batches = [(step, [action]) for step, action in zip(steps, actions, strict=True)]
        if len(places) < 2 and (script := " ".join(steps)) in self._known:
            batches = [(script, [*actions])]
        written = [self._function(script, done) for script, done in batches]
        for check in call.pending_safety_checks[:1]:
            decision = {"decision": check.code or "", "explanation": check.message or ""}
            written[0]["args"]["safety_decision"] = decision
        pairs = zip(use_ids(call.call_id), written, strict=False)
        return [{"id": name, **function} for name, function in pairs]

    def _function(self, script: str, actions: Sequence[c.ComputerAction]) -> Json:
        """Return the call of the function that does all `actions`, which are named by `script`."""
        if script not in self._known:
            return self._press(actions[0])
        name, flags = self._known[script]
        arguments: Json = {**flags}
        for action in actions:
            arguments |= self._given(action)
        if name == "navigate":
            arguments = {"url": arguments["text"]}
        if name == "type_text_at":
            arguments = {**self._latest, **arguments}
        return {"name": name, "args": arguments}

    def _press(self, action: c.ComputerAction) -> Json:
        if not isinstance(action, c.Keypress):
            step = _step(action)[:40]
            raise InvalidRequestError(f"gemini has no computer action {step!r}", param="input")
        keys = their_keys(action.keys)
        if self._is_older:
            return {"name": "key_combination", "args": {"keys": "+".join(keys)}}
        if len(keys) == 1:
            return {"name": "press_key", "args": {"key": keys[0]}}
        return {"name": "hotkey", "args": {"keys": keys}}

    def _given(self, action: c.ComputerAction) -> Json:
        """Return what of `action` its function is to be given."""
        match action:
            case c.TypeText(text=text):
                return {"text": text}
            case c.Drag(path=path):
                ends = zip(self._ends, (self._at(path[0]), self._at(path[-1])), strict=True)
                return {f"{end}{axis}": part for end, at in ends for axis, part in at.items()}
            case c.Scroll():
                way, pixels = scrolled(action)
                return {**self._at(action), "direction": way, **self._far(pixels, way)}
            case _:
                return self._at(action) if isinstance(action, _Placed) else {}

    def _at(self, place: _Placed | c.Scroll | c.Point) -> Json:
        parts = (place.x / self._size.width, place.y / self._size.height)
        x, y = (min(GRID - 1, max(0, round(part * GRID))) for part in parts)
        self._latest = {"x": x, "y": y}
        return self._latest

    def _far(self, pixels: int, way: Way) -> Json:
        if not self._is_older:
            return {"magnitude_in_pixels": pixels}
        side = self._size.height if way in ("up", "down") else self._size.width
        return {"magnitude": min(GRID - 1, round(pixels / side * GRID))}


def function_responses(
    call: c.ComputerCall, calls: Sequence[Json], output: c.ComputerCallOutput
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
    image = write_part(output.output)
    if "inlineData" not in image:
        raise InvalidRequestError("a screenshot must be a data: URL in base64", param="input")
    said = {"url": ""} | ({"safety_acknowledgement": True} if acknowledged else {})
    responses: list[Json] = [
        {"id": one["id"], "name": one["name"], "response": said} for one in calls
    ]
    responses[-1]["parts"] = [image]
    return responses


def _step(action: c.ComputerAction) -> str:
    """Return `action` as scripts name it."""
    match action:
        case c.Click(button=button):
            return f"click:{button}"
        case c.Drag(path=()):
            return "drag without a path"
        case c.Keypress(keys=keys):
            return "+".join(keys)
        case _:
            return str(action.type)
