"""Claude's computer toolset and OpenAI's computer actions, each said in the words of the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.plugin import Item
from gateway.types import computer_items as c
from gateway.types.request import Request
from gateway.types.tools import ComputerTool, ComputerUsePreviewTool
from gateway_anthropic.carriers import Block

__all__ = ["ComputerReader", "blocks_of", "results_of", "toolset"]

_TOOLSET = "computer"
_MEMBERS: dict[str, Block] = {
    "double_click": {"type": "double_click"},
    "key": {"type": "keypress"},
    "left_click": {"type": "click", "button": "left"},
    "left_click_drag": {"type": "drag"},
    "middle_click": {"type": "click", "button": "wheel"},
    "mouse_move": {"type": "move"},
    "right_click": {"type": "click", "button": "right"},
    "screenshot": {"type": "screenshot"},
    "scroll": {"type": "scroll"},
    "type": {"type": "type"},
    "wait": {"type": "wait"},
}
"""The members of the toolset, and the actions that they are but for where and what."""
_DISABLED = (
    "cursor_position",
    "hold_key",
    "left_mouse_down",
    "left_mouse_up",
    "triple_click",
    "zoom",
)
_WITHOUT_PLACE = ("keypress", "screenshot", "type", "wait")
_SIDE_BUTTONS = {"back": "alt+Left", "forward": "alt+Right"}
_DIRECTIONS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}
_PIXELS = 100  # of one click of the scroll wheel
_MOST_REPEATS = 100

_KEYS = {
    "ARROWDOWN": "Down",
    "ARROWLEFT": "Left",
    "ARROWRIGHT": "Right",
    "ARROWUP": "Up",
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

_Action = (
    c.Click
    | c.DoubleClick
    | c.Drag
    | c.Keypress
    | c.Move
    | c.Screenshot
    | c.Scroll
    | c.TypeText
    | c.Wait
)


class _Given(Struct, frozen=True, kw_only=True):
    """The input of any member."""

    action: str = ""  # what names the member in calls of the tool that came before the toolset
    coordinate: tuple[int, int] | None = None
    start_coordinate: tuple[int, int] | None = None
    text: str | None = None
    repeat: int | None = None
    scroll_direction: Literal["up", "down", "left", "right"] = "down"
    scroll_amount: int = 0


class ComputerReader:
    """Reads calls of the toolset; those that follow on each other are one `computer_call`, unless
    the client knows the preview, which takes one action at a time.
    """

    def __init__(self, request: Request) -> None:
        tools = request.tools or ()
        self._preview = any(isinstance(tool, ComputerUsePreviewTool) for tool in tools)
        self._declared = self._preview or any(isinstance(tool, ComputerTool) for tool in tools)
        self._call_id = ""
        self._actions: list[c.ComputerAction] = []
        calls = (item for item in request.input or () if isinstance(item, c.ComputerCall))
        inputs = [_write(action)[1] for call in calls for action in _actions_in(call)]
        places = [given["coordinate"] for given in inputs if "coordinate" in given]
        self._place: tuple[int, int] | None = places[-1] if places else None

    def claims(self, block: Block) -> bool:
        """Say whether a `tool_use` block calls the computer."""
        named = self._declared and block.get("name") == _TOOLSET
        return named or block.get("toolset_name") == _TOOLSET

    def add(self, block: Block) -> Iterator[Item]:
        """Take in a whole call.

        Raises `UpstreamProtocolError` for what no action of OpenAI's can say.
        """
        given = msgspec.convert(block.get("input"), _Given)
        member = given.action or str(block.get("name"))
        if member not in _MEMBERS:
            raise UpstreamProtocolError(f"the computer of OpenAI's clients has no {member[:40]!r}")
        if not self._actions:
            self._call_id = str(block.get("id") or "")
        action = msgspec.convert(self._action({**_MEMBERS[member]}, given), _Action)
        self._actions += [action] * max(1, min(given.repeat or 1, _MOST_REPEATS))
        if self._preview:
            yield from self.flush()

    def flush(self) -> Iterator[Item]:
        """Yield the call that is complete now."""
        actions, self._actions = tuple(self._actions), []
        call = c.ComputerCall(call_id=self._call_id, actions=actions, status="completed")
        if self._preview:
            for use_id, action in zip(_use_ids(call), actions, strict=False):
                yield Item(c.ComputerCall(call_id=use_id, action=action, status="completed"))
        elif actions:
            yield Item(call)

    def _action(self, action: Block, given: _Given) -> Block:
        """Return `action` with all that is `given`."""
        if action["type"] not in _WITHOUT_PLACE:
            self._place = given.coordinate or self._place
            if self._place is None:
                raise UpstreamProtocolError("the model clicked where the mouse is: nobody knows")
            action |= dict(zip("xy", self._place, strict=True))
            ends = (given.start_coordinate or self._place, self._place)
            action["path"] = [dict(zip("xy", end, strict=True)) for end in ends]
        right, down = _DIRECTIONS[given.scroll_direction]
        pixels = given.scroll_amount * _PIXELS
        action |= {"scroll_x": right * pixels, "scroll_y": down * pixels}
        if given.text is not None:
            action |= {"text": given.text, "keys": _names(given.text)}
        return action


def toolset() -> Block:
    """Return the tool to list, less what OpenAI's clients cannot do."""
    configs = {member: {"enabled": False} for member in _DISABLED}
    return {"type": "computer_toolset_20260801", "configs": configs}


def blocks_of(call: c.ComputerCall) -> list[Block]:
    """Return the `tool_use` blocks of a call; the same call always gives the same.

    Raises `InvalidRequestError` for an action of an unknown type.
    """
    written = [_write(action) for action in _actions_in(call)]
    return [
        {"type": "tool_use", "id": use_id, "name": name, "input": given, "toolset_name": _TOOLSET}
        for use_id, (name, given) in zip(_use_ids(call), written, strict=True)
    ]


def results_of(call: c.ComputerCall, screenshot: Block) -> list[Block]:
    """Return the `tool_result` blocks for `blocks_of(call)`: the last holds `screenshot`, which is
    the `image` block of what the screen looked like after all actions.
    """
    # Claude points at pixels of the image that it saw, so nobody may shrink it on the way.
    seen = {**screenshot, "transformations": {"oversized_image": "error"}}
    use_ids = _use_ids(call)
    contents = [{"type": "text", "text": "Done."}] * (len(use_ids) - 1) + [seen]
    return [
        {"type": "tool_result", "tool_use_id": use_id, "content": [shown], "toolset_name": _TOOLSET}
        for use_id, shown in zip(use_ids, contents, strict=True)
    ]


def _actions_in(call: c.ComputerCall) -> tuple[c.ComputerAction, ...]:
    """Return the actions of a call; one without any is for the screenshot that follows it."""
    return call.actions or (call.action or c.Screenshot(),)


def _use_ids(call: c.ComputerCall) -> list[str]:
    """Return the id of each action's block: whoever has only the items must find the same ones."""
    numbers = range(2, len(_actions_in(call)) + 1)
    return [call.call_id, *(f"{call.call_id}-{number}" for number in numbers)]


def _write(action: c.ComputerAction) -> tuple[str, Block]:
    """Return the member of the toolset that does `action`, and its input."""
    told: Block = msgspec.to_builtins(action)
    if combination := _SIDE_BUTTONS.get(told.get("button", "")):
        return "key", {"text": combination}
    members = (name for name, known in _MEMBERS.items() if known.items() <= told.items())
    member = next(members, None)
    if member is None:
        raise InvalidRequestError(f"no model knows the action {action.type!r}", param="input")
    given: Block = {"duration": 1} if member == "wait" else {}
    if path := told.get("path"):
        given["start_coordinate"] = [path[0]["x"], path[0]["y"]]
    if "x" in (end := path[-1] if path else told):
        given["coordinate"] = [end["x"], end["y"]]
    if member == "scroll":
        given |= _scrolling(told["scroll_x"], told["scroll_y"])
    if text := told.get("text") or _combination(told.get("keys") or ()):
        given["text"] = text
    return member, given


def _scrolling(x: int, y: int) -> Block:
    """Return the way that is the longer one."""
    pixels, forth, back = (x, "right", "left") if abs(x) > abs(y) else (y, "down", "up")
    amount = math.ceil(abs(pixels) / _PIXELS)
    return {"scroll_direction": forth if pixels >= 0 else back, "scroll_amount": amount}


def _combination(keys: list[str] | tuple[str, ...]) -> str:
    names = [key.upper() for key in keys]
    return "+".join(_KEYS.get(name) or _ALIASES.get(name) or name.lower() for name in names)


def _names(combination: str) -> list[str]:
    """Return OpenAI's names of the keys in `ctrl+s`; `+` itself may be among them."""
    symbols = [symbol or "plus" for symbol in combination.removesuffix("+").split("+")]
    return [_NAMES.get(symbol.lower(), symbol.upper()) for symbol in symbols]
