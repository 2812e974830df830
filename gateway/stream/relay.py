"""Passing on the stream of an upstream that speaks the Responses API, byte for byte.

A frame is touched only if it carries the response object (six lifecycle events do), and then only
that object's ids and model. Everything else, events that nobody has heard of included, passes as
it came. Most network chunks hold no such frame: a few substring searches are all their work.

If the upstream ends without a terminal event, the relay ends the stream in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.stream.blocks import (
    BlockCutter,
    PlainFrame,
    RawFrame,
    find_frames,
    finish_frame,
    split_frames,
)
from gateway.stream.failure import error_event, reported_error, response_error
from gateway.stream.rewrite import (
    Names,
    Rewrite,
    changes_of,
    exchange,
    read_usage,
    rewrite_response,
)
from gateway.stream.splice import splice
from gateway.stream.sse import encode_frames
from gateway.types.events import Error, ErrorDetail
from gateway.types.response import Response, ResponseError, Usage

__all__ = ["MAX_FRAME", "Outcome", "Relay"]

MAX_FRAME: Final = 64 * 1024 * 1024
"""Bytes that one relayed frame may have: images come in one."""

Outcome = Literal["completed", "failed", "incomplete"]

_OUTCOMES: dict[str, Outcome] = {
    "response.completed": "completed",
    "response.failed": "failed",
    "response.incomplete": "incomplete",
}
_LIFECYCLE = frozenset({"response.created", "response.queued", "response.in_progress", *_OUTCOMES})
_RESPONSE = b'"response"'  # a member of every lifecycle event, and hardly anywhere else
_NUMBER = b'"sequence_number"'


class _Event(Struct, frozen=True):
    """What the relay reads of an event."""

    type: Any = None
    sequence_number: Any = None
    response: Raw = Raw()


class _Lifecycle(Struct):
    """What the relay reads of a lifecycle event."""

    type: Any = None
    response: Names | None = None


class _Held(Struct, frozen=True):
    """A terminal event that the client has not seen yet, and what came after it."""

    frame: PlainFrame | RawFrame
    rest: bytes


_lifecycle_decoder = msgspec.json.Decoder(_Lifecycle)
_event_decoder = msgspec.json.Decoder(_Event)
_error_decoder = msgspec.json.Decoder(Error)
_encoder = msgspec.json.Encoder()


class Relay:
    """Relays one stream: `feed` it chunks, then `close` it, or `fail` it if the upstream broke.

    What comes out are blocks of whole frames. `outcome` tells which terminal event has come,
    `failure` why the relay had to write it, if the upstream did not. A relay that `holds` keeps the
    upstream's terminal event back and is `over` then: `last` gives it, or `refuse` another.
    """

    def __init__(self, rewrite: Rewrite, *, limit: int = MAX_FRAME, holds: bool = False) -> None:
        self._rewrite = rewrite
        self._cutter = BlockCutter(limit)
        self._holds = holds
        self._held: _Held | None = None
        self.over = False
        self._lifecycle = b""
        self._usage = Raw()
        self._latest = b""
        self._latest_numbered = b""
        self.outcome: Outcome | None = None
        self.failure: GatewayError | None = None

    @property
    def ended(self) -> bool:
        return self.outcome is not None

    @property
    def response(self) -> bytes:
        """The JSON of the response as the client last saw it, empty before its first event."""
        return bytes(_read_event(self._lifecycle).response) if self._lifecycle else b""

    @property
    def usage(self) -> Usage | None:
        """The token counts in the terminal event."""
        return read_usage(self._usage) if self.ended else None

    def feed(self, chunk: bytes, /) -> bytes:
        """Return the whole frames that `chunk` completes, perhaps none.

        Raises `UpstreamProtocolError` if a frame is larger than the limit.
        """
        return self._block(self._cutter.feed(chunk))

    def close(self) -> bytes:
        """End the stream: complete its last frame, and add the terminal event if none has come."""
        if self.ended and self._cutter.is_empty:
            return b""
        return self.fail(
            UpstreamProtocolError("the provider's stream ended before the response did")
        )

    def fail(self, error: GatewayError, /) -> bytes:
        """End the stream because of `error`, unless its terminal event has passed already.

        A last frame that lacks only its blank line is passed on; one that is cut is dropped. The
        failed response is the last one that the upstream showed, so its `output` is what that had.
        """
        block = self._block(finish_frame(self._cutter.close()))
        return block if self.ended else block + self._failure(error, self._last_number() + 1)

    def last(self, changes: Mapping[str, object]) -> bytes:
        """Return what is held back, if anything, with these members of the response."""
        held, self._held = self._held, None
        if held is None:
            return b""
        if changes:
            response = splice(self.response, {}, additions=changes)
            self._lifecycle = _exchange(self._lifecycle, self.response, response)
        return held.frame.with_data(self._lifecycle) + self._block(held.rest)

    def refuse(self, error: GatewayError, /) -> bytes:
        """Tell, in place of the terminal event that is held, that the response failed after all."""
        if self.outcome == "failed":
            return self.last({})
        held, self._held = self._held, None
        if held is None:
            return b""
        return self._failure(error, max(self._last_number(), 0)) + self._block(held.rest)

    def _block(self, block: bytes) -> bytes:
        if _NUMBER in block:
            self._latest = self._latest_numbered = block
        elif b"{" in block:  # not only comments and [DONE]
            self._latest = block
        return self._rewritten_block(block) if _RESPONSE in block else block

    def _rewritten_block(self, block: bytes) -> bytes:
        # A view, for a slice would be one more copy of nearly all of a long block.
        view = memoryview(block)
        pieces: list[bytes | memoryview] = []
        done = 0
        for frame in find_frames(block, _RESPONSE):
            if data := self._rewritten(frame):
                pieces.append(view[done : frame.start])
                done = frame.end
                if self._holds and self.ended:
                    self._hold(block, frame)
                    return b"".join(pieces)
                pieces.append(frame.with_data(data))
        return b"".join((*pieces, view[done:])) if pieces else block

    def _hold(self, block: bytes, frame: PlainFrame | RawFrame) -> None:
        """Keep back the terminal event, `frame`, and what follows it in its block."""
        self._holds, self.over = False, True
        self._held = _Held(frame, block[frame.end :])
        self._latest = block[: frame.end]
        if _NUMBER in self._latest:
            self._latest_numbered = self._latest

    def _rewritten(self, frame: PlainFrame | RawFrame) -> bytes:
        """Return the payload of `frame` as the client shall see it, nothing if it may pass."""
        data = frame.data
        try:
            event = _lifecycle_decoder.decode(data)
        except (ValueError, RecursionError):
            return b""
        kind = _kind(event.type, frame)
        names = event.response
        if kind not in _LIFECYCLE or names is None:
            return b""
        self.outcome = _OUTCOMES.get(kind) or self.outcome
        self._usage = names.usage
        changes = changes_of(names, self._rewrite)
        self._lifecycle = exchange(data, names, changes) or self._taken_apart(data)
        return self._lifecycle

    def _taken_apart(self, data: bytes) -> bytes:
        upstreams = bytes(_read_event(data).response)
        return _exchange(data, upstreams, rewrite_response(upstreams, self._rewrite))

    def _failure(self, error: GatewayError, number: int) -> bytes:
        """Write `response.failed`, after an `error` event unless the upstream has sent its own."""
        told = self._told()
        block = b""
        if not told:
            event = error_event(error)
            event.sequence_number = number
            block = encode_frames([event])
            number += 1
        self.outcome, self.failure = "failed", error
        response = Raw(
            self._failed_response(reported_error(told) if told else response_error(error))
        )
        failed = {"type": "response.failed", "sequence_number": number, "response": response}
        self._lifecycle = _encoder.encode(failed)
        return b"".join((block, b"event: response.failed\ndata: ", self._lifecycle, b"\n\n"))

    def _failed_response(self, error: ResponseError) -> bytes:
        if response := self.response:
            return splice(response, {}, additions={"status": "failed", "error": error})
        rewrite = self._rewrite
        return _encoder.encode(
            Response(
                id=rewrite.response_id(),
                created_at=0,
                model=rewrite.model,
                status="failed",
                error=error,
            )
        )

    def _last_number(self) -> int:
        """Return the last sequence number that has passed, or -1."""
        for frame in reversed(split_frames(self._latest_numbered)):
            number = _read_event(RawFrame(frame).data).sequence_number
            if isinstance(number, int):
                return number
        return -1

    def _told(self) -> ErrorDetail | None:
        """Return what the upstream's own `error` event has told the client, if there was one."""
        for frame in find_frames(self._latest, b"error"):
            data = frame.data
            if _kind(_read_event(data).type, frame) == "error":
                return _read_error(data)
        return None


def _kind(said: object, frame: PlainFrame | RawFrame) -> str:
    """Return the type of an event: what it says itself, else the name of its frame."""
    return said if isinstance(said, str) else frame.name


def _read_event(data: bytes) -> _Event:
    """Read what is needed of an event; of anything but a JSON object, nothing."""
    try:
        return _event_decoder.decode(data)
    except (ValueError, RecursionError):
        return _Event()


def _exchange(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return `data` with `new` for `old`; a search by the beginning of `old` is the quick one."""
    beginning = old[:64]
    start = data.find(beginning)
    while not data.startswith(old, start):
        start = data.find(beginning, start + 1)
    return b"".join((data[:start], new, data[start + len(old) :]))


def _read_error(data: bytes) -> ErrorDetail:
    """Read an upstream's `error` event, flat or nested."""
    try:
        event = _error_decoder.decode(data)
    except (ValueError, RecursionError):
        return ErrorDetail(message="the provider reported an error")
    return event.error or ErrorDetail(code=event.code, message=event.message, param=event.param)
