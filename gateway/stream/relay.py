"""Passing on the stream of an upstream that speaks the Responses API, byte for byte.

A frame is touched only if it carries the response object (six lifecycle events do), and then only
that object's ids and model. Everything else, events that nobody has heard of included, passes as
it came. Most network chunks hold no such frame: for them two substring searches are all the work.

If the upstream ends without a terminal event, the relay ends the stream in its place.
"""

from __future__ import annotations

import functools
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.stream.blocks import BlockCutter, RawFrame, finish_frame, split_frames
from gateway.stream.rewrite import Rewrite, read_usage, rewrite_response
from gateway.stream.splice import splice
from gateway.stream.sse import encode_frames
from gateway.types.events import Error, ErrorDetail
from gateway.types.response import Response, ResponseError, Usage

__all__ = ["MAX_FRAME", "Outcome", "Relay", "Rewrite", "read_usage", "rewrite_response"]

MAX_FRAME: Final = 64 * 1024 * 1024
"""Bytes that one relayed frame may have: images come in one."""

Outcome = Literal["completed", "failed", "incomplete"]

_OUTCOMES: dict[str, Outcome] = {
    "response.completed": "completed",
    "response.failed": "failed",
    "response.incomplete": "incomplete",
}
_LIFECYCLE = frozenset({"response.created", "response.queued", "response.in_progress", *_OUTCOMES})
# Every lifecycle event has a member of the first name, every error event says the second.
_RESPONSE, _ERROR, _NUMBER = b'"response"', b'"error"', b'"sequence_number"'
_FAILURE_CODES = frozenset({"server_error", "rate_limit_exceeded", "invalid_prompt"})


class _Event(Struct, frozen=True):
    """What the relay reads of an event."""

    type: Any = None
    sequence_number: Any = None
    response: Raw = Raw()


_event_decoder = msgspec.json.Decoder(_Event)
_error_decoder = msgspec.json.Decoder(Error)
_encoder = msgspec.json.Encoder()


class Relay:
    """Relays one stream: `feed` it chunks, then `close` it, or `fail` it if the upstream broke.

    What comes out are blocks of whole frames. `ended` tells that the terminal event has passed,
    `outcome` which one it was.
    """

    def __init__(self, rewrite: Rewrite, *, limit: int = MAX_FRAME) -> None:
        seal = functools.cache(rewrite.seal)  # each lifecycle event has the same ids
        self._rewrite = msgspec.structs.replace(rewrite, seal=seal)
        self._cutter = BlockCutter(limit)
        self._response = b""
        self._numbered = b""
        self._told = b""
        self.outcome: Outcome | None = None

    @property
    def ended(self) -> bool:
        return self.outcome is not None

    @property
    def response(self) -> bytes:
        """The JSON of the response as the client last saw it, empty before its first event."""
        return self._response

    @property
    def usage(self) -> Usage | None:
        """The token counts in the terminal event."""
        return read_usage(self._response) if self.ended else None

    def feed(self, chunk: bytes, /) -> bytes:
        """Return the whole frames that `chunk` completes, perhaps none.

        Raises `UpstreamProtocolError` if a frame is larger than the limit.
        """
        return self._block(self._cutter.feed(chunk))

    def close(self) -> bytes:
        """End the stream: complete its last frame, and add the terminal event if none has come."""
        return self.fail(
            UpstreamProtocolError("the provider's stream ended before the response did")
        )

    def fail(self, error: GatewayError, /) -> bytes:
        """End the stream because of `error`, unless its terminal event has passed already.

        A last frame that lacks only its blank line is passed on; one that is cut is dropped. The
        failed response is the last one that the upstream showed, so its `output` is what that had.
        """
        block = self._block(finish_frame(self._cutter.close()))
        return block if self.ended else block + self._failure(error)

    def _block(self, block: bytes) -> bytes:
        if _NUMBER in block:
            self._numbered = block
        if _RESPONSE in block or _ERROR in block:
            return b"".join([self._frame(frame) for frame in split_frames(block)])
        return block

    def _frame(self, frame: bytes) -> bytes:
        if _RESPONSE not in frame and _ERROR not in frame:
            return frame
        raw = RawFrame(frame)
        event = _read_event(raw.data)
        kind = event.type if isinstance(event.type, str) else raw.name
        if kind == "error":
            self._told = raw.data
        if kind not in _LIFECYCLE:
            return frame
        self.outcome = _OUTCOMES.get(kind) or self.outcome
        upstreams = bytes(event.response)
        if not upstreams.startswith(b"{"):
            return frame
        self._response = rewrite_response(upstreams, self._rewrite)
        return raw.with_data(raw.data.replace(upstreams, self._response))

    def _failure(self, error: GatewayError) -> bytes:
        """Write `response.failed`, after an `error` event unless the upstream has sent its own."""
        number = self._last_number() + 1
        detail = _read_error(self._told) if self._told else _describe(error)
        block = b""
        if not self._told:
            told = Error.of(detail)
            told.sequence_number = number
            block = encode_frames([told])
            number += 1
        self.outcome = "failed"
        self._response = self._failed_response(detail)
        failed = {
            "type": "response.failed",
            "sequence_number": number,
            "response": Raw(self._response),
        }
        return block + b"event: response.failed\ndata: " + _encoder.encode(failed) + b"\n\n"

    def _failed_response(self, detail: ErrorDetail) -> bytes:
        code = detail.code if detail.code in _FAILURE_CODES else "server_error"
        error = ResponseError(code=code, message=detail.message)
        if self._response:
            return splice(self._response, {}, additions={"status": "failed", "error": error})
        rewrite = self._rewrite
        model = rewrite.model or ""
        return _encoder.encode(
            Response(
                id=rewrite.response_id, created_at=0, model=model, status="failed", error=error
            )
        )

    def _last_number(self) -> int:
        """Return the last sequence number that has passed, or -1."""
        for frame in reversed(split_frames(self._numbered)):
            number = _read_event(RawFrame(frame).data).sequence_number
            if isinstance(number, int):
                return number
        return -1


def _read_event(data: bytes) -> _Event:
    """Read what is needed of an event; of data that is not a JSON object, nothing."""
    try:
        return _event_decoder.decode(data)
    except (ValueError, RecursionError):
        return _Event()


def _read_error(data: bytes) -> ErrorDetail:
    """Read an upstream's `error` event, flat or nested."""
    try:
        event = _error_decoder.decode(data)
    except (ValueError, RecursionError):
        return ErrorDetail(message="the provider reported an error")
    return event.error or ErrorDetail(code=event.code, message=event.message, param=event.param)


def _describe(error: GatewayError) -> ErrorDetail:
    return ErrorDetail(type=error.type, code=error.code, message=error.message, param=error.param)
