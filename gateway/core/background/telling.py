"""The events that the making of a response does not tell: how it waited, and how it ended instead.

A stream in the background begins with `response.created`, `response.queued` and
`response.in_progress`. OpenAI's types have no event for a response that was cancelled; ours has the
name of its status and of OpenAI's webhook, and ends the stream like the other terminal events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from gateway.errors import GatewayError
from gateway.plugin.store import Store
from gateway.stream.blocks import RawFrame, split_frames
from gateway.stream.failure import error_event, response_error
from gateway.stream.sse import DONE, encode_frames
from gateway.types.events import (
    KnownEvent,
    OutputItemDone,
    ResponseCreated,
    ResponseFailed,
    ResponseInProgress,
    ResponseQueued,
    decode_event,
)
from gateway.types.items import OutputItem
from gateway.types.open import Unknown
from gateway.types.response import Response, Usage

__all__ = [
    "LAST_OF_BEGINNING",
    "OVER",
    "Frames",
    "cancelled",
    "ends",
    "failed",
    "frames_of",
    "items_told",
    "started",
    "waiting",
]

Frames = Sequence[tuple[int, bytes]]
"""Events as the store has them: the number, and the frame."""

OVER = frozenset({"completed", "failed", "incomplete", "cancelled"})
"""The statuses of a response that will not change any more."""

LAST_OF_BEGINNING = 2
"""The number of the last event that says nothing of the output."""

_TERMINAL = tuple(f"event: response.{status}\n".encode() for status in OVER)
_ITEM_DONE = b"event: response.output_item.done\n"


def waiting(response: Response) -> Frames:
    """Return the first events of a response that nobody makes yet."""
    queued = replace(response, status="queued")
    return _numbered([ResponseCreated(response=queued), ResponseQueued(response=queued)], 0)


def started(response: Response) -> Frames:
    """Return the events of a response up to the first that belongs to its output."""
    begun = ResponseInProgress(response=replace(response, status="in_progress"))
    return [*waiting(response), *_numbered([begun], LAST_OF_BEGINNING)]


def failed(response: Response, error: GatewayError, number: int) -> tuple[Response, Frames]:
    """Return `response` as it is when it ends with `error`, and the events that tell it."""
    over = replace(
        response, status="failed", error=response_error(error), usage=response.usage or Usage()
    )
    return over, _numbered([error_event(error), ResponseFailed(response=over)], number)


def cancelled(response: Response, number: int) -> tuple[Response, Frames]:
    """Return `response` as it is when it is cancelled, and the event that tells it."""
    over = replace(response, status="cancelled")
    told = {"type": "response.cancelled", "sequence_number": number, "response": over}
    return over, [(number, encode_frames([Unknown(told)]))]


def ends(frame: bytes) -> bool:
    """Say whether `frame` is the last of its stream."""
    return frame.startswith(_TERMINAL)


def frames_of(block: bytes) -> list[bytes]:
    """Return the events of `block`, one frame each."""
    return [frame for frame in split_frames(block) if frame and frame != DONE]


async def items_told(store: Store, tenant: str, response_id: str) -> tuple[OutputItem, ...]:
    """Return the items that the events in the store say to be complete."""
    items: dict[int, OutputItem] = {}
    after = -1
    while (found := await store.events(tenant, response_id, after)) and found.frames:
        after = found.frames[-1][0]
        for _, frame in found.frames:
            if frame.startswith(_ITEM_DONE):
                event = decode_event(RawFrame(frame).data)
                if isinstance(event, OutputItemDone):
                    items[event.output_index] = event.item
    return tuple(item for _, item in sorted(items.items()))


def _numbered(events: Iterable[KnownEvent], first: int) -> list[tuple[int, bytes]]:
    frames: list[tuple[int, bytes]] = []
    for number, event in enumerate(events, first):
        event.sequence_number = number
        frames.append((number, encode_frames([event])))
    return frames
