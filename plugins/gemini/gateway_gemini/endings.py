"""How answers end: what Gemini says in `finishReason`."""

from __future__ import annotations

import re

from gateway.errors import UpstreamProtocolError, UpstreamUnavailableError
from gateway.plugin import FinishReason

__all__ = ["CONTINUATION", "is_blocked", "read_ending"]

CONTINUATION = "CONTINUATION"

_FILTERS = re.compile(
    r"(?:IMAGE_)?(?:SAFETY|RECITATION|PROHIBITED_CONTENT)|BLOCKLIST|SPII|MODEL_ARMOR"
)
_BREAKDOWNS = re.compile(
    r"MALFORMED_\w+|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS|MISSING_THOUGHT_SIGNATURE|LANGUAGE"
    r"|NO_IMAGE|IMAGE_OTHER|ESCALATION|PUP_LIMITED_DISABLED"
)


def is_blocked(said: str) -> bool:
    """Say whether `said`, a finish reason, is about what must not be said."""
    return _FILTERS.fullmatch(said) is not None


def read_ending(said: str, message: str | None, *, spoke: bool) -> FinishReason:
    """Return what `said`, a finish reason, means after an answer that `spoke` or did not.

    Raises `UpstreamUnavailableError` if it says that the model failed, and
    `UpstreamProtocolError` if it says nothing known and there is no answer.
    """
    if is_blocked(said):
        return "content_filter"
    if said in ("MAX_TOKENS", CONTINUATION):
        return "max_output_tokens"
    words = f"gemini ended with finishReason {said[:40]}: {message or 'it does not say why'}"
    if _BREAKDOWNS.fullmatch(said):
        raise UpstreamUnavailableError(words)
    if not spoke and said != "STOP":
        raise UpstreamProtocolError(words)
    return "stop"
