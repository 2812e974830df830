"""How hard the model should think, in the words of each vendor."""

from __future__ import annotations

from typing import Any

from gateway.types.request import Request
from gateway_chat.quirks import Quirks
from gateway_chat.tools import is_forced

__all__ = ["stops_thinking", "write_effort"]


def stops_thinking(request: Request, quirks: Quirks) -> bool:
    """Say whether the server must not think, because it is made to call a tool."""
    return quirks.forcing_stops_thinking and is_forced(request)


def write_effort(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that ask for the effort of `request`, if there is one."""
    effort = request.reasoning.effort if request.reasoning else None
    if effort:
        return _write(effort, quirks) | dict(quirks.effort_extra)
    return _write("none", quirks) if stops_thinking(request, quirks) else {}


def _write(effort: str, quirks: Quirks) -> dict[str, Any]:
    effort = quirks.effort_map.get(effort, effort)
    thinks = effort != "none"
    switch = {"type": "enabled" if thinks else "disabled"}
    ways: dict[str, dict[str, Any]] = {
        "reasoning_effort": {"reasoning_effort": effort},
        "reasoning": {"reasoning": {"effort": effort}},
        "thinking": {"thinking": switch},
        "thinking_effort": {"thinking": switch} | ({"reasoning_effort": effort} if thinks else {}),
        "enable_thinking": {"enable_thinking": thinks},
        "chat_template_kwargs": {"chat_template_kwargs": {"enable_thinking": thinks}},
        "prompt_mode": {"prompt_mode": "reasoning" if thinks else None},
        "none": {},
    }
    return ways[quirks.effort]
