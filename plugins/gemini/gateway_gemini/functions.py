"""Gemini's predefined functions for a computer, and what they do in the words of Responses.

Gemini 3.5 brought names of its own; older models know fewer functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

__all__ = [
    "ENDS",
    "EXCLUDED",
    "FUNCTIONS",
    "GRID",
    "KEYED",
    "Generation",
    "our_keys",
    "script_of",
    "their_keys",
]

Generation = Literal["older", "newer"]

GRID = 1000
"""Coordinates go from 0 to 999, whatever the size of the screen."""

ENDS = {"older": ("", "destination_"), "newer": ("start_", "end_")}
"""What stands before the coordinates of the two ends of a drag."""

EXCLUDED: Mapping[Generation, tuple[str, ...]] = {
    "older": ("search",),
    "newer": ("mouse_down", "mouse_up", "key_down", "key_up"),
}
"""Functions that no action of Responses can express, to be left out of the tool."""

KEYED = ("press_key", "hotkey", "key_combination")
"""Functions that press the keys that they are told."""

_Row = tuple[str, Mapping[str, bool], str]

_NEWER: tuple[_Row, ...] = (
    ("click", {}, "click:left"),
    ("right_click", {}, "click:right"),
    ("middle_click", {}, "click:wheel"),
    ("double_click", {}, "double_click"),
    ("triple_click", {}, "double_click click:left"),
    ("move", {}, "move"),
    ("type", {"press_enter": True}, "type ENTER"),
    ("type", {}, "type"),
    ("scroll", {}, "scroll"),
    ("wait", {}, "wait"),
    ("take_screenshot", {}, "screenshot"),
)
_BOTH: tuple[_Row, ...] = (
    ("drag_and_drop", {}, "drag"),
    ("go_back", {}, "ALT+ARROWLEFT"),
    ("go_forward", {}, "ALT+ARROWRIGHT"),
    ("navigate", {}, "CTRL+L type ENTER"),
)
_UNCLEARED = {"clear_before_typing": False}
_UNSENT = {"press_enter": False}
_OLDER: tuple[_Row, ...] = (
    ("click_at", {}, "click:left"),
    ("hover_at", {}, "move"),
    ("type_text_at", _UNSENT | _UNCLEARED, "click:left type"),
    ("type_text_at", _UNSENT, "click:left CTRL+A DELETE type"),
    ("type_text_at", _UNCLEARED, "click:left type ENTER"),
    ("type_text_at", {}, "click:left CTRL+A DELETE type ENTER"),
    ("scroll_at", {}, "scroll"),
    ("scroll_document", {}, "scroll"),
    ("wait_5_seconds", {}, "wait"),
    ("open_web_browser", {}, "screenshot"),
    # There is but one click, and text is typed only where it clicks.
    ("click_at", {}, "click:right"),
    ("click_at", {}, "click:wheel"),
    ("click_at", {}, "double_click"),
    ("type_text_at", _UNSENT | _UNCLEARED, "type"),
)
"""Functions, what they are told besides places and texts, and what they then do: actions with their
button, or keys pressed at once. The first row that fits counts, either way.
"""
_KEYS = {"CTRL": "Control", "ESC": "Escape", "PAGEUP": "PageUp", "PAGEDOWN": "PageDown"} | {
    f"ARROW{way.upper()}": f"Arrow{way}" for way in ("Up", "Down", "Left", "Right")
}
_OUR_KEYS = {theirs.upper(): ours for ours, theirs in _KEYS.items()}


def script_of(name: str, arguments: Mapping[str, Any]) -> str:
    """Return what the function `name` does, given its `arguments`; nothing if there is no such."""
    for known, flags, script in (*_NEWER, *_BOTH, *_OLDER):
        if known == name and flags.items() <= arguments.items():
            return script
    return ""


def our_keys(keys: Iterable[str]) -> list[str]:
    return [_OUR_KEYS.get(key.upper(), key.upper()) for key in keys]


def their_keys(keys: Iterable[str]) -> list[str]:
    return [_KEYS.get(key.upper(), key.capitalize()) for key in keys]


FUNCTIONS: Mapping[Generation, Mapping[str, tuple[str, Mapping[str, bool]]]] = {
    "newer": {script: (name, flags) for name, flags, script in reversed(_BOTH + _NEWER)},
    "older": {script: (name, flags) for name, flags, script in reversed(_BOTH + _OLDER)},
}
"""The function for each script, and its flags."""
