"""Which accounts are worth a try: those that keep failing are left alone for a while."""

from __future__ import annotations

from collections.abc import Callable

from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamUnreachableError,
)

__all__ = ["Health"]

_FAILURES_ALLOWED = 3  # in a row
_FIRST_REST = 5.0  # seconds
_LONGEST_REST = 60.0
_PROBE_LASTS = 60.0  # seconds until the probe of a caller that never told its outcome is forgotten

_FAILURES = (
    UpstreamUnavailableError,
    UpstreamUnreachableError,
    UpstreamTimeoutError,
    UpstreamProtocolError,
)


class _Account:
    """What is known of one account; times are those of the clock."""

    __slots__ = ("failures", "probe_until", "rest_until")

    def __init__(self) -> None:
        self.failures = 0
        self.rest_until = 0.0
        self.probe_until = 0.0


class Health:
    """Remembers, for each account, how its last calls went.

    After three failures in a row an account rests, and longer each time it fails again right after.
    When the rest is over, one call probes it: nobody else is sent there until that call has
    `answered`, `failed` or was `abandoned`. A rate limit that says how long it lasts is a rest of
    that length. A rate limit that does not, and errors that are the caller's or the operator's,
    count for nothing. `now` is a clock in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._troubled: dict[str, _Account] = {}

    def available(self, account: str) -> bool:
        """Say whether a call to `account` is worth a try; asking changes nothing."""
        known = self._troubled.get(account)
        if known is None:
            return True
        return known.rest_until <= (now := self._now()) and known.probe_until <= now

    def began(self, account: str) -> None:
        """Note a call to `account`: the first one after a rest is the probe."""
        known = self._troubled.get(account)
        if known is not None and known.failures >= _FAILURES_ALLOWED:
            known.probe_until = self._now() + _PROBE_LASTS

    def answered(self, account: str) -> None:
        """Note that `account` gave an answer: whatever was wrong with it is over."""
        self._troubled.pop(account, None)

    def failed(self, account: str, error: UpstreamError) -> None:
        """Note that a call to `account` ended with `error`."""
        self.abandoned(account)
        if isinstance(error, UpstreamRejectedError):
            self.answered(account)  # it answers, though not what this caller hoped for
        elif isinstance(error, UpstreamRateLimitError):
            self._rest(account, error.retry_after or 0.0)
        elif isinstance(error, _FAILURES):
            self._count(account, error.retry_after or 0.0)

    def abandoned(self, account: str) -> None:
        """Note that a call to `account` ended without an outcome, as when its client left."""
        if known := self._troubled.get(account):
            known.probe_until = 0.0

    def _count(self, account: str, seconds: float) -> None:
        known = self._troubled.setdefault(account, _Account())
        if known.rest_until > self._now():
            return  # of a call that began before the rest: nothing new
        known.failures += 1
        excess = known.failures - _FAILURES_ALLOWED
        if excess >= 0:
            seconds = max(seconds, min(_FIRST_REST * 2 ** min(excess, 30), _LONGEST_REST))
        self._rest(account, seconds)

    def _rest(self, account: str, seconds: float) -> None:
        if seconds > 0:
            known = self._troubled.setdefault(account, _Account())
            known.rest_until = max(known.rest_until, self._now() + seconds)
