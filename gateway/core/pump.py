"""From the bytes of an upstream answer to blocks of events, whatever happens on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable
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

    def feed(self, chunk: bytes, /) -> bytes: ...

    def close(self) -> bytes: ...

    def fail(self, error: GatewayError, /) -> bytes: ...


class Pump:
    """The blocks of a streamed answer, as an async iterator.

    Whatever fails becomes the end of the stream: this is the one place where a bug in a dialect
    turns into `response.failed`. Closing a pump cancels the upstream, even if nobody has begun
    to read; `ended` is called once, with the outcome. Not an async generator, for one that was
    never begun cannot clean up.
    """

    def __init__(
        self, writer: Writer, answer: Answer, first: bytes, ended: Callable[[Writer, str], None]
    ) -> None:
        self._writer = writer
        self._answer = answer
        self._first = first
        self._ended = ended
        self.over = False
        """Whether the last block has been given."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self.over:
            raise StopAsyncIteration
        block, self._first = self._first, b""
        try:
            block = block or await self._next()
            if block and not self._answer.ended:
                return block
            block += self._writer.close()
        except GatewayError as error:
            block += self._writer.fail(error)
        except Exception:  # noqa: BLE001 - a bug must end the stream, not tear it
            _log.exception("reading a provider's answer failed")
            bug = GatewayError("the gateway failed to read the provider's answer")
            block += self._writer.fail(bug)
        self._end(self._writer.outcome or "failed")
        if not block:
            raise StopAsyncIteration
        return block

    async def aclose(self) -> None:
        """Stop. An answer that has not ended is cancelled at the upstream."""
        self._end("cancelled")

    async def _next(self) -> bytes:
        while chunk := await self._answer.chunk():
            if block := self._writer.feed(chunk):
                return block
        return b""

    def _end(self, outcome: str) -> None:
        if not self.over:
            self.over = True
            self._answer.close()
            self._ended(self._writer, outcome)
