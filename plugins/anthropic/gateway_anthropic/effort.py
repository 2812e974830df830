"""How hard the model should think: by an effort, or with a budget of tokens."""

from __future__ import annotations

from typing import Any

from gateway.errors import InvalidRequestError
from gateway.plugin.choice import is_forced
from gateway.types.request import Request
from gateway_anthropic.quirks import Quirks

__all__ = ["write_effort", "write_thinking"]

_BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 32_000,
    "max": 128_000,
}
_LEAST = 1024


def write_thinking(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return `thinking`, empty to leave it to the model.

    Raises `InvalidRequestError` for an effort that the model does not know.
    """
    effort = _effort(request)
    shown = request.reasoning and (request.reasoning.summary or request.reasoning.generate_summary)
    room = request.max_output_tokens or quirks.max_tokens
    match quirks.thinking:
        case "always" if effort == "none":
            raise InvalidRequestError("the model always thinks", param="reasoning.effort")
        case "adaptive" if effort == "none":
            return {"type": "disabled"}
        case "adaptive" | "always" if effort or shown:
            return {"type": "adaptive", "display": "summarized" if shown else "omitted"}
        case "budget" if effort in _BUDGETS and room > _LEAST:
            if is_forced(request):
                reason = "the model cannot be made to call a tool while it thinks"
                raise InvalidRequestError(reason, param="tool_choice")
            budget = min(_BUDGETS[effort], max(_LEAST, room * 3 // 4))  # the answer needs the rest
            return {"type": "enabled", "budget_tokens": budget}
        case _:
            return {}


def write_effort(request: Request, quirks: Quirks) -> str | None:
    """Return the next best of the efforts that the model knows, None to leave it to the model."""
    effort = _effort(request)
    if effort in (None, "none") or quirks.thinking in ("budget", "none"):
        return None
    effort = "low" if effort == "minimal" else effort
    if effort in quirks.efforts:
        return effort
    return quirks.efforts[-1] if effort == "max" else "high"


def _effort(request: Request) -> str | None:
    effort = request.reasoning.effort if request.reasoning else None
    if effort not in (None, "none", *_BUDGETS):
        names = ", ".join(["none", *_BUDGETS])
        raise InvalidRequestError(f"send an effort of {names}", param="reasoning.effort")
    return effort
