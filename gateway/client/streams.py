"""Streams of typed events, and the life of the upstream answers behind them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, Self

import msgspec

from gateway.core.exchange import Blocks
from gateway.errors import UpstreamProtocolError
from gateway.stream.relay import MAX_FRAME
from gateway.stream.sse import SSEDecoder
from gateway.types.events import Event, Lifecycle, decode_event
from gateway.types.response import Response

__all__ = ["AsyncResponseStream", "HeldBlocks", "ResponseStream", "WaitingBlocks"]

_END = b"[DONE]"


class HeldBlocks:
    """Blocks that a caller holds: if it drops them half read, `close_later` sees to it."""

    def __init__(self, blocks: Blocks, close_later: Callable[[Blocks], None]) -> None:
        self._blocks = blocks
        self._close_later = close_later
        self._let_go = False

    @property
    def over(self) -> bool:
        return self._blocks.over

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._blocks)
        except StopAsyncIteration:
            self._let_go = True
            raise

    async def aclose(self) -> None:
        self._let_go = True
        await self._blocks.aclose()

    def abandon(self) -> None:
        """Have the blocks closed soon, from any thread."""
        if not self._let_go:
            self._let_go = True
            self._close_later(self._blocks)

    def __del__(self) -> None:
        self.abandon()


class WaitingBlocks(Protocol):
    """Blocks for a thread that waits for them."""

    def read(self) -> bytes:
        """Return the next block, or `b""` at the end."""
        ...

    def close(self) -> None: ...


class ResponseStream:
    """The events of a response as they arrive: an iterator, and a context manager that closes it.

    A failure in mid-stream is told by events, as OpenAI does: `error`, then `response.failed`.
    Closing a stream, or dropping it, cancels what is left of it at the upstream.
    """

    def __init__(self, blocks: WaitingBlocks) -> None:
        self._blocks = blocks
        self._reader = _Reader()

    @property
    def response(self) -> Response | None:
        """The response as the last event that carried it said; final after the last event."""
        return self._reader.response

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self._reader.events:
            block = self._blocks.read()
            if not block:
                raise StopIteration
            self._reader.feed(block)
        return self._reader.next()

    def close(self) -> None:
        """Stop reading; the upstream stops writing."""
        self._reader.events.clear()
        self._blocks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncResponseStream:
    """The events of a response as they arrive: like `ResponseStream`, for `async for` and
    `async with`.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._reader = _Reader()

    @property
    def response(self) -> Response | None:
        """The response as the last event that carried it said; final after the last event."""
        return self._reader.response

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._reader.events:
            self._reader.feed(await anext(self._blocks))
        return self._reader.next()

    async def aclose(self) -> None:
        """Stop reading; the upstream stops writing."""
        self._reader.events.clear()
        await self._blocks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


class _Reader:
    """Reads blocks into events."""

    def __init__(self) -> None:
        self._frames = SSEDecoder(MAX_FRAME)
        self.events: deque[Event] = deque()
        self.response: Response | None = None

    def feed(self, block: bytes) -> None:
        """Queue the events of `block`. Raises `UpstreamProtocolError` if one is not JSON."""
        for frame in self._frames.feed(block):
            if frame.data == _END:
                continue
            try:
                self.events.append(decode_event(frame.data))
            except msgspec.DecodeError as error:
                raise UpstreamProtocolError("the provider sent an event that is no JSON") from error

    def next(self) -> Event:
        event = self.events.popleft()
        if isinstance(event, Lifecycle):
            self.response = event.response
        return event
