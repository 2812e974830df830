"""What Gemini wants done on a screen, read as computer calls."""

from __future__ import annotations

from typing import Any, Literal

from msgspec.structs import replace

from gateway.errors import UpstreamProtocolError
from gateway.plugin.computer import calls_for, scroll
from gateway.plugin.content import items_of
from gateway.types.computer_items import ComputerCall, SafetyCheck
from gateway.types.request import Request
from gateway.types.tools import ComputerTool, ComputerUsePreviewTool
from gateway_gemini.functions import ENDS, GRID, KEYED, our_keys, script_of
from gateway_gemini.sizes import Size, screen_size

__all__ = ["calls_on_screen", "computer_calls", "has_screen"]

Json = dict[str, Any]

_Computer = ComputerTool | ComputerUsePreviewTool
_CONFIRM = "require_confirmation"


def has_screen(request: Request) -> bool:
    """Say whether the model may use the client's computer."""
    return any(isinstance(tool, _Computer) for tool in request.tools or ())


def calls_on_screen(request: Request, said: Json, number: int) -> list[ComputerCall]:
    """Return what the `functionCall` that was `said`, the answer's `number`th, wants done on the
    screen that the client has, if it is about that. Raises `UpstreamProtocolError`.
    """
    if not has_screen(request):
        return []
    items = items_of(request)
    # Older models give no ids; conversations grow, so this one is new.
    said = {**said, "id": said["id"] or f"call_{len(items) + number}"}
    return computer_calls(request, said, screen_size(request, items))


def computer_calls(request: Request, said: Json, size: Size | None) -> list[ComputerCall]:
    """Return what the `functionCall` that was `said` wants done; nothing if it is no such function.

    They have the form that the tool of `request` wants. A model that clicks on a screen of unknown
    `size` gets to see it first. Raises `UpstreamProtocolError`.
    """
    told = _Told(said["name"], said["args"], size)
    try:
        calls = calls_for(request, said["id"], told.actions())
        checks = told.checks(said["id"])
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise UpstreamProtocolError(
            f"gemini sent a broken call of {said['name']}: {error}"
        ) from error
    return [replace(call, pending_safety_checks=checks) for call in calls[:1]] + calls[1:]


class _Told:
    """What the function `name` was called with, for a screen of `size`."""

    def __init__(self, name: str, arguments: Json, size: Size | None) -> None:
        self._arguments = arguments
        self._name = name
        self._size = size

    def actions(self) -> list[Json]:
        """Return what the function does, or else what must be done before that can be."""
        if self._name in KEYED:
            told: Any = self._arguments.get("keys") or self._arguments.get("key") or ""
            keys = told.split("+") if isinstance(told, str) else told
            return [{"type": "keypress", "keys": our_keys(keys)}]
        try:
            return [*map(self._act, script_of(self._name, self._arguments).split())]
        except LookupError:
            return [{"type": "screenshot"}]

    def checks(self, call_id: str) -> tuple[SafetyCheck, ...]:
        """Return what the client has to acknowledge."""
        decision: Any = self._arguments.get("safety_decision")
        if not decision or decision.get("decision") != _CONFIRM:
            return ()
        message = str(decision.get("explanation", ""))
        return (SafetyCheck(id=f"sc_{call_id}", code=_CONFIRM, message=message),)

    def _act(self, step: str) -> Json:
        if step.isupper():
            return {"type": "keypress", "keys": step.split("+")}
        kind, _, button = step.partition(":")
        match kind:
            case "wait" | "screenshot":
                details: Json = {}
            case "type":
                details = {"text": self._arguments.get("text", self._arguments.get("url"))}
            case "drag":
                ends = ENDS["older" if "destination_x" in self._arguments else "newer"]
                details = {"path": [*map(self._place, ends)]}
            case "scroll":
                details = self._place() | self._distance()
            case _:
                details = self._place() | ({"button": button} if button else {})
        return {"type": kind, **details}

    def _place(self, prefix: str = "") -> Json:
        return {"x": self._part(f"{prefix}x", "width"), "y": self._part(f"{prefix}y", "height")}

    def _part(self, name: str, side: Literal["width", "height"], default: float = 500) -> int:
        """Return a part of 1000 of the screen's `side` in pixels. Raises `LookupError`."""
        if self._size is None:
            raise LookupError(side)
        return round(float(self._arguments.get(name, default)) * getattr(self._size, side) / GRID)

    def _distance(self) -> Json:
        """Return how far to scroll, which older models count in parts of the screen."""
        way = self._arguments.get("direction", "down")
        if self._name == "scroll":
            pixels = round(self._arguments.get("magnitude_in_pixels", 300))
        else:
            side = "width" if way in ("left", "right") else "height"
            pixels = self._part("magnitude", side, 800)
        return scroll(way, pixels)
