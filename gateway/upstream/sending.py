"""One request under way: its time limits, and how it is cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from gateway.errors import UpstreamTimeoutError
from gateway.plugin.deployment import Timeouts
from gateway.upstream.deadline import Deadline, Deadlines

__all__ = ["Sending", "host_of"]


class Sending(Deadline):
    """What is known of one request under way, from the call to the end of its answer.

    `first_byte_due` is when the answer must begin, in the event loop's time; None as long as there
    is no connection. Whoever waits too long, for that or for more, is given a `TimeoutError`.
    """

    __slots__ = (
        "_answered",
        "_fail",
        "_transport",
        "again",
        "first_byte_due",
        "fresh",
        "timeouts",
        "url",
    )

    def __init__(self, url: str, timeouts: Timeouts, deadlines: Deadlines) -> None:
        super().__init__(deadlines)
        self.url = url
        self.timeouts = timeouts
        self.first_byte_due: float | None = None
        self.fresh = False  # the connection is new
        self.again = False  # only a new connection will do
        self._answered = False
        self._transport: asyncio.Transport | None = None
        self._fail: Callable[[Exception], None] | None = None

    def needs_connection(self) -> None:
        """Note that a connection is looked for: only a new one will do if there was one before."""
        self.again = self.first_byte_due is not None
        self.first_byte_due = None
        self.fresh = False
        self.met()

    def has_connection(
        self, transport: asyncio.Transport | None, fail: Callable[[Exception], None]
    ) -> None:
        """Note that a connection is there: from now on the first byte is waited for."""
        self._transport = transport
        self._fail = fail
        self.first_byte_due = asyncio.get_running_loop().time() + self.timeouts.first_byte
        self.wait_until(self.first_byte_due)

    def has_answer(self, fail: Callable[[Exception], None]) -> None:
        """Note that the headers of the answer are there: nobody waits now."""
        self._answered = True
        self._fail = fail
        self.met()

    def late(self) -> UpstreamTimeoutError:
        """Say what did not come in time."""
        host = host_of(self.url)
        if self.first_byte_due is None:
            return UpstreamTimeoutError(
                f"no connection to {host} within {self.timeouts.connect:g} seconds: it does not"
                " react, or every connection of the pool is busy"
            )
        return UpstreamTimeoutError(
            f"no answer from {host} within {self.timeouts.first_byte:g} seconds"
        )

    def over(self) -> None:
        """Close the connection if no answer came."""
        if not self._answered:
            self.met()
            self.abort()

    def abort(self) -> None:
        """Close the connection without a wait for what is not yet written."""
        # Only once: a TLS transport of Python 3.11.2 that is closed raises when it is aborted.
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def missed(self) -> None:
        if self._fail is not None:
            self._fail(TimeoutError())


def host_of(url: str) -> str:
    """Return the host and port of `url`: never its credentials, path or query."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "the upstream"
    except ValueError:
        return "the upstream"
