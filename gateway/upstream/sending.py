"""One request under way: its time limits, and how it is cut short."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from gateway.errors import UpstreamTimeoutError
from gateway.plugin.deployment import Timeouts

__all__ = ["Sending", "host_of"]


class Sending:
    """What is known of one request under way.

    `limit` is the timer that the sending runs under: it ends the wait for a connection, then the
    wait for the answer. All times are the event loop's.
    """

    __slots__ = ("_transport", "again", "answered", "due", "fresh", "limit", "timeouts", "url")

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        self.url = url
        self.timeouts = timeouts
        self.limit: asyncio.Timeout | None = None
        self.due: float | None = None  # for the first byte, once there is a connection
        self.fresh = False  # the connection is new
        self.again = False  # only a new connection will do
        self.answered = False
        self._transport: asyncio.Transport | None = None

    def begin_again(self) -> None:
        """Start over, with time to connect anew."""
        self.again = True
        self.due = None
        self._limit_to(self.timeouts.connect)

    def connected(self, transport: asyncio.Transport | None) -> None:
        """Note that a connection is there: from now on the first byte is waited for."""
        self._transport = transport
        self.due = self._limit_to(self.timeouts.first_byte)

    def late(self) -> UpstreamTimeoutError:
        """Say what did not come in time."""
        host = host_of(self.url)
        if self.due is None:
            return UpstreamTimeoutError(
                f"no connection to {host} within {self.timeouts.connect:g} seconds: it does not"
                " react, or every connection of the pool is busy"
            )
        return UpstreamTimeoutError(
            f"no answer from {host} within {self.timeouts.first_byte:g} seconds"
        )

    def over(self) -> None:
        """Close the connection if no answer came."""
        if not self.answered:
            self.abort()

    def abort(self) -> None:
        """Close the connection without a wait for what is not yet written."""
        if self._transport is not None:
            self._transport.abort()

    def _limit_to(self, seconds: float) -> float:
        assert self.limit is not None
        due = asyncio.get_running_loop().time() + seconds
        self.limit.reschedule(due)
        return due


def host_of(url: str) -> str:
    """Return the host and port of `url`: never its credentials, path or query."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "the upstream"
    except ValueError:
        return "the upstream"
