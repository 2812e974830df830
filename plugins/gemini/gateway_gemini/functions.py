"""Gemini's predefined functions for a computer, and what they do in the words of Responses.

Gemini 3.5 brought names of its own; older models know fewer functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Literal

__all__ = [
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

EXCLUDED: Mapping[Generation, tuple[str, ...]] = {
    "older": ("search",),
    "newer": ("mouse_down", "mouse_up", "key_down", "key_up"),
}
"""Functions that no action of Responses can express, to be left out of the tool."""

KEYED = ("press_key", "hotkey", "key_combination")
"""Functions that press the keys that they are told."""

_SCRIPTS = {
    "click": "click:left",
    "right_click": "click:right",
    "middle_click": "click:wheel",
    "double_click": "double_click",
    "triple_click": "double_click click:left",
    "move": "move",
    "type": "type ENTER",
    "scroll": "scroll",
    "wait": "wait",
    "take_screenshot": "screenshot",
    "drag_and_drop": "drag",
    "go_back": "ALT+ARROWLEFT",
    "go_forward": "ALT+ARROWRIGHT",
    "navigate": "CTRL+L type ENTER",
    "click_at": "click:left",
    "hover_at": "move",
    "type_text_at": "click:left CTRL+A DELETE type ENTER",
    "scroll_at": "scroll",
    "scroll_document": "scroll",
    "wait_5_seconds": "wait",
    "open_web_browser": "screenshot",
}
"""Actions with their button, or keys pressed at once."""
_NAMES = [*_SCRIPTS]
_KNOWN: Mapping[Generation, Sequence[str]] = {"newer": _NAMES[:14], "older": _NAMES[10:]}
_FLAGS: Mapping[str, Mapping[str, bool]] = {
    "type": {"press_enter": False},
    "type_text_at": {"press_enter": True, "clear_before_typing": True},
}
"""What decides whether a function does all of its script, and what holds if it is not said."""
_OPTIONAL = {"press_enter": " ENTER", "clear_before_typing": " CTRL+A DELETE"}
_KEYS = {"CTRL": "Control", "ESC": "Escape", "PAGEUP": "PageUp", "PAGEDOWN": "PageDown"} | {
    f"ARROW{way.upper()}": f"Arrow{way}" for way in ("Up", "Down", "Left", "Right")
}
_OUR_KEYS = {theirs.upper(): ours for ours, theirs in _KEYS.items()}


def script_of(name: str, arguments: Mapping[str, Any]) -> str:
    """Return what the function `name` does, given its `arguments`; nothing if there is no such."""
    script = _SCRIPTS.get(name, "")
    for flag, default in _FLAGS.get(name, {}).items():
        if not arguments.get(flag, default):
            script = script.replace(_OPTIONAL[flag], "")
    return script


def our_keys(keys: Iterable[str]) -> list[str]:
    return [_OUR_KEYS.get(key.upper(), key.upper()) for key in keys]


def their_keys(keys: Iterable[str]) -> list[str]:
    return [_KEYS.get(key.upper(), key.capitalize()) for key in keys]


def _inverse(generation: Generation) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the function that does all of a script, with the flags that make it do so."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in _KNOWN[generation]:
        flags = _FLAGS.get(name, {})
        for values in product((True, False), repeat=len(flags)):
            said = dict(zip(flags, values, strict=True))
            told = {flag: value for flag, value in said.items() if value != flags[flag]}
            found.setdefault(script_of(name, said), (name, told))
    return found


FUNCTIONS: Mapping[Generation, Mapping[str, tuple[str, dict[str, Any]]]] = {
    "newer": _inverse("newer"),
    "older": _inverse("older")
    | {
        "click:right": ("click_at", {}),
        "click:wheel": ("click_at", {}),
        "double_click": ("click_at", {}),
        "type": ("type_text_at", {"press_enter": False, "clear_before_typing": False}),
    },
}
"""The function for each script, and its flags. Older models have but one click, and type only where
they click.
"""
