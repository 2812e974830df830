"""Claude's computer toolset and OpenAI's computer actions, each said in the words of the other."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.plugin import Item
from gateway.plugin.computer import Way, actions_of, calls_for, scroll, scrolled, use_ids
from gateway.types import computer_items as c
from gateway.types.request import Request
from gateway_anthropic.carriers import Block

__all__ = ["ComputerReader", "blocks_of", "results_of", "toolset"]

_TOOLSET = "computer"
_ALIKE = ("double_click", "screenshot", "scroll", "type", "wait")
_MEMBERS: dict[str, Block] = {name: {"type": name} for name in _ALIKE} | {
    "key": {"type": "keypress"},
    "left_click": {"type": "click", "button": "left"},
    "left_click_drag": {"type": "drag"},
    "middle_click": {"type": "click", "button": "wheel"},
    "mouse_move": {"type": "move"},
    "right_click": {"type": "click", "button": "right"},
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
_PIXELS = 100  # of one click of the scroll wheel
_MOST_REPEATS = 100

_KEYS = {f"ARROW{way.upper()}": way for way in ("Down", "Left", "Right", "Up")} | {
    "ENTER": "Return",
    "ESC": "Escape",
    "META": "super",
    "PAGEDOWN": "Page_Down",
    "PAGEUP": "Page_Up",
    "+": "plus",
}
"""OpenAI's names of keys and Claude's; all others are the same but for their case."""
_NAMES = {symbol.lower(): name for name, symbol in _KEYS.items()}
_ALIASES = {"CMD": "META", "CONTROL": "CTRL", "ESCAPE": "ESC", "OPTION": "ALT", "WIN": "META"}


class _Given(Struct, frozen=True, kw_only=True):
    """The input of any member."""

    action: str = ""  # what names the member in calls of the tool that came before the toolset
    coordinate: tuple[int, int] | None = None
    start_coordinate: tuple[int, int] | None = None
    text: str | None = None
    repeat: int | None = None
    scroll_direction: Way = "down"
    scroll_amount: int = 0


class ComputerReader:
    """Reads calls of the toolset; those that follow on each other belong together."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._declared = any(tool.type.startswith("computer") for tool in request.tools or ())
        self._call_id = ""
        self._actions: list[Block] = []
        calls = (item for item in request.input or () if isinstance(item, c.ComputerCall))
        inputs = [_write(action)[1] for call in calls for action in actions_of(call)]
        places = [given["coordinate"] for given in inputs if "coordinate" in given]
        self._place: tuple[int, int] | None = places[-1] if places else None

    def claims(self, block: Block) -> bool:
        """Say whether a `tool_use` block calls the computer."""
        named = self._declared and block.get("name") == _TOOLSET
        return named or block.get("toolset_name") == _TOOLSET

    def add(self, block: Block) -> None:
        """Take in a whole call.

        Raises `UpstreamProtocolError` for what no action of OpenAI's can say.
        """
        given = msgspec.convert(block.get("input"), _Given)
        member = given.action or str(block.get("name"))
        if member not in _MEMBERS:
            raise UpstreamProtocolError(f"the computer of OpenAI's clients has no {member[:40]!r}")
        if not self._actions:
            self._call_id = str(block.get("id") or "")
        action = self._action({**_MEMBERS[member]}, given)
        self._actions += [action] * max(1, min(given.repeat or 1, _MOST_REPEATS))

    def flush(self) -> Iterator[Item]:
        """Yield what has been called since the last time."""
        actions, self._actions = self._actions, []
        yield from map(Item, calls_for(self._request, self._call_id, actions))

    def _action(self, action: Block, given: _Given) -> Block:
        """Return `action` with all that is `given`."""
        if action["type"] not in _WITHOUT_PLACE:
            self._place = given.coordinate or self._place
            if self._place is None:
                raise UpstreamProtocolError("the model clicked where the mouse is: nobody knows")
            action |= dict(zip("xy", self._place, strict=True))
            ends = (given.start_coordinate or self._place, self._place)
            action["path"] = [dict(zip("xy", end, strict=True)) for end in ends]
        action |= scroll(given.scroll_direction, given.scroll_amount * _PIXELS)
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
    written = map(_write, actions_of(call))
    return [
        {"type": "tool_use", "id": use_id, "name": name, "input": given, "toolset_name": _TOOLSET}
        for use_id, (name, given) in zip(use_ids(call.call_id), written, strict=False)
    ]


def results_of(call: c.ComputerCall, screenshot: Block) -> list[Block]:
    """Return the `tool_result` blocks for `blocks_of(call)`: the last holds `screenshot`, which is
    the `image` block of what the screen looked like after all actions.
    """
    # Claude points at pixels of the image that it saw, so nobody may shrink it on the way.
    seen = {**screenshot, "transformations": {"oversized_image": "error"}}
    done = {"type": "text", "text": "Done."}
    contents = [done] * (len(actions_of(call)) - 1) + [seen]
    return [
        {"type": "tool_result", "tool_use_id": use_id, "content": [shown], "toolset_name": _TOOLSET}
        for use_id, shown in zip(use_ids(call.call_id), contents, strict=False)
    ]


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
    if isinstance(action, c.Scroll):
        way, pixels = scrolled(action)
        given |= {"scroll_direction": way, "scroll_amount": math.ceil(pixels / _PIXELS)}
    if text := told.get("text") or _combination(told.get("keys") or ()):
        given["text"] = text
    return member, given


def _combination(keys: list[str] | tuple[str, ...]) -> str:
    names = [_ALIASES.get(key.upper(), key.upper()) for key in keys]
    return "+".join(_KEYS.get(name, name.lower()) for name in names)


def _names(combination: str) -> list[str]:
    """Return OpenAI's names of the keys in `ctrl+s`; `+` itself may be among them."""
    symbols = [symbol or "plus" for symbol in combination.removesuffix("+").split("+")]
    return [_NAMES.get(symbol.lower(), symbol.upper()) for symbol in symbols]
