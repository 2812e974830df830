"""The stream of a response that is over, told anew from what is kept of it.

A response that did not run in the background has no events in the store: they are made again from
its items, each part in one piece. They are numbered as such a stream is, from 0.
"""

from __future__ import annotations

from typing import Self

from msgspec.structs import replace

from gateway.errors import GatewayError
from gateway.stream.failure import error_event
from gateway.stream.sse import DONE, encode_frames
from gateway.stream.whole_items import whole_events
from gateway.types.events import (
    KnownEvent,
    ResponseCompleted,
    ResponseCreated,
    ResponseFailed,
    ResponseIncomplete,
    ResponseInProgress,
)
from gateway.types.response import Response

__all__ = ["Replayed", "replay"]

_TERMINAL = {
    "completed": ResponseCompleted,
    "incomplete": ResponseIncomplete,
    "failed": ResponseFailed,
}


class Replayed:
    """Blocks that are all there from the start."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self.over = not block

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self.over:
            raise StopAsyncIteration
        self.over = True
        return self._block

    async def aclose(self) -> None:
        self.over = True


def replay(response: Response, after: int = -1) -> Replayed:
    """Return the stream of `response`, without the events up to number `after`."""
    begun = replace(
        response,
        status="in_progress",
        output=(),
        usage=None,
        error=None,
        incomplete_details=None,
        completed_at=None,
    )
    events: list[KnownEvent] = [ResponseCreated(response=begun), ResponseInProgress(response=begun)]
    for index, item in enumerate(response.output):
        events += whole_events(item, index)
    if response.error is not None:
        code, message = response.error.code, response.error.message
        events.append(error_event(GatewayError(message, code=code)))
    events.append(_TERMINAL.get(response.status or "", ResponseIncomplete)(response=response))
    for number, event in enumerate(events):
        event.sequence_number = number
    left = [event for event in events if event.sequence_number > after]
    return Replayed(encode_frames(left) + DONE)
