"""Server-sent events, without I/O: bytes to frames as the WHATWG reads them, events to bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import msgspec

from gateway.errors import UpstreamProtocolError
from gateway.stream.frames import Frame
from gateway.types.events import Event, KnownEvent

__all__ = ["DONE", "MAX_FRAME", "SSEDecoder", "encode_frames"]

DONE = b"data: [DONE]\n\n"
"""The frame that ends a stream for the clients that wait for it."""

MAX_FRAME = 16 * 1024 * 1024
"""Bytes that one frame may have by default: a generated image fits, a runaway upstream does not."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_encoder = msgspec.json.Encoder()
_HEADS: dict[type, bytes] = {
    event: f"event: {event.__struct_config__.tag}\ndata: ".encode()
    for event in get_args(KnownEvent)
}


class SSEDecoder:
    """Cuts a byte stream into frames, however the network has split it.

    Owns the unfinished line and the unfinished frame, `limit` bytes of them at most. Raises
    `UpstreamProtocolError` when a frame is larger.
    """

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._at_start = True
        self._after_return = False
        self._partial = bytearray()
        self._event: str | None = None
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes, /) -> list[Frame]:
        """Return the frames that `chunk` completes."""
        begun = self._partial or self._data or self._event or self._at_start or self._after_return
        if not begun and (frames := self._plain_frames(chunk)):
            return frames
        start = chunk.find(b"\n\n") + 2 if begun else 0
        end = chunk.rfind(b"\n\n") + 2
        if start == 1 or start >= end:
            return self._feed_lines(chunk)
        frames = self._feed_lines(chunk[:start])
        frames += self._plain_frames(chunk[start:end]) or self._feed_lines(chunk[start:end])
        return frames + self._feed_lines(chunk[end:])

    def close(self) -> list[Frame]:
        """Return the last frame, if the stream ended without the blank line after it."""
        return self._read([self._first(b""), b""])

    def _plain_frames(self, chunk: bytes) -> list[Frame]:
        """Return the frames of `chunk` if each is one `data:` line, as tokens mostly come;
        else nothing.
        """
        if (
            not (chunk.startswith(b"data: ") and chunk.endswith(b"\n\n"))
            or b"\r" in chunk
            or len(chunk) > self._limit
        ):
            return []
        if chunk.find(b"\n") == len(chunk) - 2:
            return [Frame(chunk[6:-2])]
        data = chunk[6:-2].split(b"\n\ndata: ")
        is_plain = chunk.count(b"\n") == 2 * len(data)
        return [Frame(line) for line in data] if is_plain else []

    def _feed_lines(self, chunk: bytes) -> list[Frame]:
        """Return the frames that `chunk` completes, read line by line."""
        *lines, rest = self._unified(chunk).split(b"\n")
        if lines:
            lines[0] = self._first(lines[0])
        frames = self._read(lines)
        self._partial += rest
        self._check(len(self._partial))
        return frames

    def _unified(self, chunk: bytes) -> bytes:
        """Return `chunk` with LF for every line end; a CRLF may have been split between chunks."""
        if self._after_return and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_return = False
        if b"\r" not in chunk:
            return chunk
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _first(self, end: bytes) -> bytes:
        """Return the line that began in earlier chunks and ends with `end`."""
        line = bytes(self._partial) + end if self._partial else end
        self._partial.clear()
        if self._at_start:
            self._at_start = False
            return line.removeprefix(_BYTE_ORDER_MARK)
        return line

    def _read(self, lines: list[bytes]) -> list[Frame]:
        frames: list[Frame] = []
        for line in lines:
            if line:
                self._field(line)
                continue
            if self._data:
                frames.append(Frame(b"\n".join(self._data), self._event))
                self._data = []
                self._size = 0
            self._event = None
        return frames

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value)
            self._check(0)
        elif name == b"event":
            self._event = value.decode(errors="replace") or None

    def _check(self, more: int) -> None:
        if self._size + more > self._limit:
            raise UpstreamProtocolError(
                f"the provider sent an event of more than {self._limit} bytes"
            )


def encode_frames(events: Iterable[Event]) -> bytes:
    """Return `events` as one block of whole frames, each named by its event's type."""
    block = bytearray()
    for event in events:
        block += _HEADS.get(type(event)) or f"event: {event.type}\ndata: ".encode()
        _encoder.encode_into(event, block, -1)
        block += b"\n\n"
    return bytes(block)
