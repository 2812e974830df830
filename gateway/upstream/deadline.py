"""A limit on waiting that costs next to nothing when nobody waits too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

__all__ = ["Deadline"]

_CLOCK_GRAIN = 0.001  # uvloop's clock counts milliseconds


class Deadline:
    """Calls `missed` once when a wait lasts past its end.

    A stream waits thousands of times, and nearly always gets what it waits for. So the loop's timer
    is not set and cancelled for each wait: it stays where it is, and looks at the current wait when
    it goes off.
    """

    __slots__ = ("_due", "_loop", "_missed", "_timer", "_timer_at")

    def __init__(self, missed: Callable[[], None]) -> None:
        self._missed = missed
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf
        self._due = inf

    def wait_until(self, due: float) -> None:
        """Begin a wait that must end before `due`, a time of the event loop's clock."""
        self._due = due
        if due < self._timer_at:
            self._set_timer()

    def wait(self, seconds: float) -> None:
        """Begin a wait that may last `seconds`."""
        self.wait_until(self._loop.time() + seconds)

    def met(self) -> None:
        """End the wait: what was waited for has come."""
        self._due = inf

    def close(self) -> None:
        """Drop the timer."""
        self._due = self._timer_at = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._due
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer, self._timer_at = None, inf
        if self._due == inf:
            return
        if self._due - self._loop.time() > _CLOCK_GRAIN:
            self._set_timer()
            return
        self._due = inf
        self._missed()
