"""Computer calls in the form that the client's tool has, for dialects whose vendor has another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any, Literal

import msgspec

from gateway.types.computer_items import ComputerAction, ComputerCall, Screenshot, Scroll
from gateway.types.open import decode_hook
from gateway.types.request import Request
from gateway.types.tools import ComputerUsePreviewTool

__all__ = ["Way", "actions_of", "calls_for", "scroll", "scrolled", "use_ids"]

Way = Literal["up", "down", "left", "right"]


def calls_for(
    request: Request, call_id: str, actions: Sequence[dict[str, Any]]
) -> list[ComputerCall]:
    """Return complete calls of `actions`, which are JSON objects: one call of them all, or, for the
    preview of the tool, a call of each, with ids that `use_ids` gives.

    Raises `msgspec.ValidationError` if an action lacks something.
    """
    calls: list[dict[str, Any]] = [{"call_id": call_id, "actions": actions}] if actions else []
    if any(isinstance(tool, ComputerUsePreviewTool) for tool in request.tools or ()):
        pairs = zip(use_ids(call_id), actions, strict=False)
        calls = [{"call_id": use_id, "action": action} for use_id, action in pairs]
    done = [{"type": "computer_call", "status": "completed", **call} for call in calls]
    return msgspec.convert(done, list[ComputerCall], dec_hook=decode_hook)


def actions_of(call: ComputerCall) -> tuple[ComputerAction, ...]:
    """Return the actions of `call`; one without any is for the screenshot that answers it."""
    return call.actions or (call.action or Screenshot(),)


def use_ids(call_id: str) -> Iterator[str]:
    """Yield the ids for the parts of a call: whoever has only the items finds the same ones."""
    return chain([call_id], (f"{call_id}-{number}" for number in count(2)))


def scrolled(action: Scroll) -> tuple[Way, int]:
    """Return the way that is scrolled farther, and how many pixels."""
    if abs(action.scroll_x) > abs(action.scroll_y):
        return "right" if action.scroll_x > 0 else "left", abs(action.scroll_x)
    return "up" if action.scroll_y < 0 else "down", abs(action.scroll_y)


def scroll(way: Way, pixels: int) -> dict[str, int]:
    """Return how far an action scrolls: what `scrolled` reads."""
    far = {"scroll_x": 0, "scroll_y": 0}
    axis = "scroll_x" if way in ("left", "right") else "scroll_y"
    return far | {axis: -pixels if way in ("up", "left") else pixels}
