"""How long to wait before the same upstream is tried again."""

from __future__ import annotations

__all__ = ["LONGEST_WAIT", "delay"]

LONGEST_WAIT = 8.0  # seconds
_FIRST_WAIT = 0.5
_SPREAD = 0.25


def delay(
    retry: int, jitter: float, retry_after: float | None = None, *, longest: float = LONGEST_WAIT
) -> float | None:
    """Return the seconds to wait before `retry` (0 is the first), or None: do not retry here.

    Waits double, up to `longest`, and each is shortened by chance by up to a quarter, so that calls
    that failed together do not come back together; `jitter` is a chance number from 0 to 1. An
    upstream that says when to come back is obeyed, unless that is later than `longest`.
    """
    if retry_after is None:
        return min(_FIRST_WAIT * 2 ** min(retry, 30), longest) * (1 - _SPREAD * jitter)
    return max(retry_after, 0.0) if retry_after <= longest else None
