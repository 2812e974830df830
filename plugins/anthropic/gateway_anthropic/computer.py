"""Claude's computer toolset and OpenAI's computer actions, each said in the words of the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.plugin import Item
from gateway.types import computer_items as c
from gateway.types.request import Request
from gateway.types.tools import ComputerTool, ComputerUsePreviewTool
from gateway_anthropic.carriers import Block

__all__ = ["TOOLSET", "ComputerReader", "blocks_of", "results_of", "toolset"]

TOOLSET = "computer"
"""The name of the toolset, in calls of its members and in their results."""

# fmt: off
_WITHOUT_EQUAL = (
    "cursor_position", "hold_key", "left_mouse_down", "left_mouse_up", "triple_click", "zoom",
)
# fmt: on
_CLICKS = {"left": "left_click", "right": "right_click", "wheel": "middle_click"}
_AT_A_PLACE: Mapping[str, Callable[..., c.ComputerAction]] = {
    **{member: partial(c.Click, button=button) for button, member in _CLICKS.items()},
    "double_click": c.DoubleClick,
    "mouse_move": c.Move,
}
_SIDE_BUTTONS = {"back": "alt+Left", "forward": "alt+Right"}
_DIRECTIONS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
_PIXELS = 100  # of one click of the scroll wheel
_MOST_REPEATS = 100

_KEYS = {
    "ARROWDOWN": "Down",
    "ARROWLEFT": "Left",
    "ARROWRIGHT": "Right",
    "ARROWUP": "Up",
    "BACKSPACE": "BackSpace",
    "CTRL": "ctrl",
    "ENTER": "Return",
    "ESC": "Escape",
    "META": "super",
    "PAGEDOWN": "Page_Down",
    "PAGEUP": "Page_Up",
    "+": "plus",
}
"""OpenAI's names of keys and Claude's; all others are the same but for their case."""
_ALIASES = {"CMD": "super", "CONTROL": "ctrl", "ESCAPE": "Escape", "OPTION": "alt", "WIN": "super"}
_NAMES = {symbol.lower(): name for name, symbol in _KEYS.items()} | {"control": "CTRL"}


class _Given(Struct, frozen=True, kw_only=True):
    """The input of any member."""

    action: str = ""  # what names the member in calls of the tool that came before the toolset
    coordinate: tuple[int, int] | None = None
    start_coordinate: tuple[int, int] | None = None
    text: str | None = None
    repeat: int | None = None
    scroll_direction: Literal["up", "down", "left", "right"] = "down"
    scroll_amount: int = 0

    @property
    def direction(self) -> tuple[int, int]:
        return _DIRECTIONS[self.scroll_direction]


class ComputerReader:
    """Reads calls of the toolset; those that follow on each other are one `computer_call`, unless
    the client knows the preview, which takes one action at a time.
    """

    def __init__(self, request: Request) -> None:
        tools = request.tools or ()
        self._preview = any(isinstance(tool, ComputerUsePreviewTool) for tool in tools)
        self._declared = self._preview or any(isinstance(tool, ComputerTool) for tool in tools)
        self._place: tuple[int, int] | None = None
        self._call_id = ""
        self._actions: list[c.ComputerAction] = []
        for item in request.input or ():
            if isinstance(item, c.ComputerCall):
                self._follow(actions_in(item))

    def claims(self, block: Block) -> bool:
        """Say whether a `tool_use` block calls the computer."""
        named = self._declared and block.get("name") == TOOLSET
        return named or block.get("toolset_name") == TOOLSET

    def add(self, block: Block) -> Iterator[Item]:
        """Take in a whole call.

        Raises `UpstreamProtocolError` for what no action of OpenAI's can say.
        """
        given = msgspec.convert(block.get("input"), _Given)
        if not self._actions:
            self._call_id = str(block.get("id") or "")
        actions = self._read(given.action or str(block.get("name")), given)
        self._follow(actions)
        self._actions += actions
        if self._preview:
            yield from self.flush()

    def flush(self) -> Iterator[Item]:
        """Yield the call that is complete now."""
        actions, self._actions = tuple(self._actions), []
        if not actions:
            return
        calls = [c.ComputerCall(call_id=self._call_id, actions=actions, status="completed")]
        if self._preview:
            calls = [
                c.ComputerCall(call_id=use_id, action=action, status="completed")
                for use_id, action in zip(_use_ids(calls[0]), actions, strict=True)
            ]
        yield from map(Item, calls)

    def _read(self, member: str, given: _Given) -> list[c.ComputerAction]:
        if member == "key":
            times = max(1, min(given.repeat or 1, _MOST_REPEATS))
            return [c.Keypress(keys=_names(given.text or ""))] * times
        held = _names(given.text) if given.text else UNSET
        if make := _AT_A_PLACE.get(member):
            return [make(**self._at(given.coordinate), keys=held)]
        return [self._read_other(member, given, held)]

    def _read_other(
        self, member: str, given: _Given, held: tuple[str, ...] | UnsetType
    ) -> c.ComputerAction:
        match member:
            case "screenshot":
                return c.Screenshot()
            case "wait":
                return c.Wait()
            case "type":
                return c.TypeText(text=given.text or "")
            case "left_click_drag":
                ends = self._at(given.start_coordinate), self._at(given.coordinate)
                return c.Drag(path=tuple(c.Point(**end) for end in ends), keys=held)
            case "scroll":
                right, down = (part * given.scroll_amount * _PIXELS for part in given.direction)
                place = self._at(given.coordinate)
                return c.Scroll(**place, scroll_x=right, scroll_y=down, keys=held)
            case _:
                raise UpstreamProtocolError(
                    f"the model used {member[:40]!r} on the computer, which has no equal at OpenAI"
                )

    def _at(self, coordinate: tuple[int, int] | None) -> dict[str, int]:
        """Return where to act; without a `coordinate` that is where the mouse is."""
        place = coordinate or self._place
        if place is None:
            raise UpstreamProtocolError("the model clicked where the mouse is, and nobody knows")
        return {"x": place[0], "y": place[1]}

    def _follow(self, actions: Iterable[c.ComputerAction]) -> None:
        for action in actions:
            match action:
                case c.Click() | c.DoubleClick() | c.Move() | c.Scroll():
                    self._place = action.x, action.y
                case c.Drag(path=[*_, end]):
                    self._place = end.x, end.y
                case _:
                    pass


def toolset() -> Block:
    """Return the tool to list, less what OpenAI's clients cannot do."""
    configs = {member: {"enabled": False} for member in _WITHOUT_EQUAL}
    return {"type": "computer_toolset_20260801", "configs": configs}


def blocks_of(call: c.ComputerCall) -> list[Block]:
    """Return the `tool_use` blocks of a call; the same call always gives the same.

    Raises `InvalidRequestError` for an action of an unknown type.
    """
    written = [_write(action) for action in actions_in(call)]
    return [
        {"type": "tool_use", "id": use_id, "name": name, "input": given, "toolset_name": TOOLSET}
        for use_id, (name, given) in zip(_use_ids(call), written, strict=True)
    ]


def results_of(call: c.ComputerCall, screenshot: Block) -> list[Block]:
    """Return the `tool_result` blocks for `blocks_of(call)`: the last holds `screenshot`, which is
    the `image` block of what the screen looked like after all actions.
    """
    # Claude points at pixels of the image that it saw, so nobody may shrink it on the way.
    seen = {**screenshot, "transformations": {"oversized_image": "error"}}
    *others, last = _use_ids(call)
    results: list[tuple[str, list[Block]]] = [
        *((use_id, [{"type": "text", "text": "Done."}]) for use_id in others),
        (last, [seen]),
    ]
    return [
        {"type": "tool_result", "tool_use_id": use_id, "content": content, "toolset_name": TOOLSET}
        for use_id, content in results
    ]


def actions_in(call: c.ComputerCall) -> tuple[c.ComputerAction, ...]:
    """Return the actions of a call; one without any is for the screenshot that follows it."""
    return call.actions or (call.action or c.Screenshot(),)


def _use_ids(call: c.ComputerCall) -> list[str]:
    """Return the id of each action's block: whoever has only the items must find the same ones."""
    numbers = range(2, len(actions_in(call)) + 1)
    return [call.call_id, *(f"{call.call_id}-{number}" for number in numbers)]


def _write(action: c.ComputerAction) -> tuple[str, Block]:
    match action:
        case c.Click() | c.DoubleClick() | c.Move():
            return _clicking(action)
        case c.Drag(path=[start, *_, end]):
            ends = {"start_coordinate": [start.x, start.y], "coordinate": [end.x, end.y]}
            return "left_click_drag", ends | _holding(action.keys)
        case c.Scroll():
            place = {"coordinate": [action.x, action.y]}
            return "scroll", place | _scrolling(action) | _holding(action.keys)
        case c.Keypress():
            return "key", {"text": _combination(action.keys)}
        case c.TypeText():
            return "type", {"text": action.text}
        case c.Wait() | c.Screenshot():
            return action.type, {"duration": 1} if action.type == "wait" else {}
        case _:
            raise InvalidRequestError(
                f"the computer action {action.type!r} is unknown or incomplete", param="input"
            )


def _clicking(action: c.Click | c.DoubleClick | c.Move) -> tuple[str, Block]:
    place = {"coordinate": [action.x, action.y]}
    if isinstance(action, c.Move):
        return "mouse_move", place
    if isinstance(action, c.DoubleClick):
        return "double_click", place | _holding(action.keys)
    if combination := _SIDE_BUTTONS.get(action.button):
        return "key", {"text": combination}
    return _CLICKS.get(action.button, "left_click"), place | _holding(action.keys)


def _scrolling(action: c.Scroll) -> Block:
    across = abs(action.scroll_x) > abs(action.scroll_y)
    pixels = action.scroll_x if across else action.scroll_y
    forth, back = ("right", "left") if across else ("down", "up")
    return {
        "scroll_direction": forth if pixels >= 0 else back,
        "scroll_amount": math.ceil(abs(pixels) / _PIXELS),
    }


def _holding(keys: tuple[str, ...] | UnsetType | None) -> Block:
    return {"text": _combination(keys)} if keys else {}


def _combination(keys: tuple[str, ...]) -> str:
    names = (key.upper() for key in keys)
    return "+".join(_KEYS.get(name) or _ALIASES.get(name) or name.lower() for name in names)


def _names(combination: str) -> tuple[str, ...]:
    """Return OpenAI's names of the keys in `ctrl+s`; `+` itself may be among them."""
    symbols = [symbol or "plus" for symbol in combination.removesuffix("+").split("+")]
    return tuple(_NAMES.get(symbol.lower(), symbol.upper()) for symbol in symbols)
