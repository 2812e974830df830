"""Limits on waiting that cost next to nothing as long as nobody waits too long.

A gateway begins a wait for every request and every packet, and nearly always gets what it waits
for. A timer of the event loop for each would be set and cancelled in vain, so there is one for all:
it stays where it is when waits begin and end, and looks at them when it goes off.
"""

from __future__ import annotations

import asyncio
from math import inf
from weakref import WeakSet

__all__ = ["Deadline", "Deadlines"]

_CLOCK_GRAIN = 0.001  # seconds; uvloop's clock counts milliseconds


class Deadlines:
    """Owns the timer that many deadlines share. All times are the running event loop's."""

    def __init__(self) -> None:
        self._open: WeakSet[Deadline] = WeakSet()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf

    def add(self, deadline: Deadline) -> None:
        """Watch the waits of `deadline` as long as somebody holds it."""
        self._open.add(deadline)

    def look_by(self, due: float) -> None:
        """Make sure that the timer goes off at `due` at the latest."""
        if due < self._timer_at:
            self.close()
            self._timer_at = due
            self._timer = asyncio.get_running_loop().call_at(due, self._look)

    def close(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, inf

    def _look(self) -> None:
        self._timer, self._timer_at = None, inf
        now = asyncio.get_running_loop().time() + _CLOCK_GRAIN
        waits = sorted(self._open, key=lambda deadline: deadline.due)
        for deadline in waits:
            if deadline.due <= now:
                deadline.met()
                deadline.missed()
            elif deadline.due < inf:
                self.look_by(deadline.due)
                break


class Deadline:
    """The waits of one exchange, one after the other; `due` is when the present one must end."""

    __slots__ = ("__weakref__", "_deadlines", "due")

    def __init__(self, deadlines: Deadlines) -> None:
        self.due = inf
        self._deadlines = deadlines
        deadlines.add(self)

    def wait_until(self, due: float) -> None:
        """Begin a wait that must end before `due`."""
        self.due = due
        self._deadlines.look_by(due)

    def met(self) -> None:
        """End the wait: what was waited for has come, or is not wanted any more."""
        self.due = inf

    def missed(self) -> None:
        """Called when a wait has lasted too long, and has been ended for that."""
        raise NotImplementedError
