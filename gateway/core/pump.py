"""From the bytes of an upstream answer to blocks of events, whatever happens on the way."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, Self

from gateway.errors import GatewayError
from gateway.plugin.transport import Answer
from gateway.types.response import Usage

__all__ = ["Pump", "Writer"]

_log = logging.getLogger("gateway")


class Writer(Protocol):
    """Turns the bytes of an upstream answer into blocks of whole frames: a `Relay` or a
    `Translation`.
    """

    @property
    def outcome(self) -> str | None:
        """The final status of the response, once it is known."""
        ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def failure(self) -> GatewayError | None:
        """Why the stream had to be ended by us, if it had."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing counts any more that the upstream may still send."""
        ...

    def feed(self, chunk: bytes, /) -> bytes: ...

    def close(self) -> bytes: ...

    def fail(self, error: GatewayError, /) -> bytes: ...

    def refuse(self, error: GatewayError, /) -> bytes:
        """Tell a failure in place of a terminal event that has been held back."""
        ...


class Pump:
    """The blocks of a streamed answer, as an async iterator.

    Whatever fails becomes the end of the stream: this is the one place where a bug in a dialect
    turns into `response.failed`. Closing a pump cancels the upstream, even if nobody has begun
    to read; `ended` is called once, with the outcome. Not an async generator, for one that was
    never begun cannot clean up.
    """

    def __init__(
        self,
        writer: Writer,
        answer: Answer,
        first: bytes,
        *,
        last: Callable[[], Awaitable[bytes]],
        ended: Callable[[Writer, str], None],
    ) -> None:
        self.writer = writer
        self._answer = answer
        self._first = first
        self._last = last
        self._ended = ended
        self._at_end = False
        self._complete = False
        self.over = False
        """Whether the last block has been given."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self.over:
            raise StopAsyncIteration
        block = self._first
        if block:
            self._first = b""
            self._at_end = self._answer.ended
        while not (block or self._at_end or (self.writer.over and not self._complete)):
            block = await self._guarded(self._answer.chunk, self._feed, self.writer.fail)
        if self._at_end or self.writer.over:
            return await self._conclude(block)
        return block

    async def aclose(self) -> None:
        """Stop. An answer that has not ended is cancelled at the upstream."""
        self._end("cancelled")

    def _feed(self, chunk: bytes) -> bytes:
        self._at_end = not chunk or self._answer.ended
        return self.writer.feed(chunk) if chunk else b""

    async def _conclude(self, block: bytes) -> bytes:
        """Return `block` and what is due after it: at the end of the answer, and once when the
        terminal event is.
        """
        if self._at_end:
            block += await self._guarded(_nothing, self._close, self.writer.fail)
        if not self._complete:
            self._complete = True
            block += await self._guarded(self._last, bytes, self.writer.refuse)
        if self._at_end:
            self._end(self.writer.outcome or "failed")
            if not block:
                raise StopAsyncIteration
        return block

    def _close(self, _: bytes) -> bytes:
        return self.writer.close()

    async def _guarded(
        self,
        source: Callable[[], Awaitable[bytes]],
        write: Callable[[bytes], bytes],
        tell: Callable[[GatewayError], bytes],
    ) -> bytes:
        """Return what `write` makes of what `source` gives, or how the failure of either is told.

        Every coroutine between an event and its client costs 1,000 instructions for each event.
        """
        try:
            return write(await source())
        except GatewayError as error:
            failure = error
        except Exception:  # noqa: BLE001 - a bug must end the stream, not tear it
            _log.exception("reading a provider's answer failed")
            failure = GatewayError("the gateway failed to read the provider's answer")
        self._at_end = True
        return tell(failure)

    def _end(self, outcome: str) -> None:
        if not self.over:
            self.over = True
            self._answer.close()
            self._ended(self.writer, outcome)


async def _nothing() -> bytes:
    return b""
