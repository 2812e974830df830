"""AWS event streams: messages in binary, each with checksums, headers and a payload."""

from __future__ import annotations

import struct
from zlib import crc32

import msgspec

from gateway.errors import UpstreamProtocolError
from gateway.stream.frames import Frame

__all__ = ["EXCEPTION", "EventStream"]

EXCEPTION = "exception:"
"""What the event of a frame begins with that reports a failure, whose name follows."""

_LONGEST = 25 * 2**20  # bytes of a message; AWS allows 24 MiB of payload
_PRELUDE = struct.Struct(">III")  # length, length of the headers, checksum of both
_CHECKSUM = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CHECKSUM.size
_STRING = 7
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""The bytes that the value of a header takes, by its type; other types tell their length."""


class EventStream:
    """Cuts an event stream into frames, whatever the pieces that it comes in.

    A message that reports a failure is a frame whose event begins with `EXCEPTION`. `feed` and
    `close` raise `UpstreamProtocolError` for bytes that are no message.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes, /) -> list[Frame]:
        self._buffer += chunk
        frames: list[Frame] = []
        try:
            while message := self._next():
                frames.append(_frame(message))
        except UpstreamProtocolError:
            if not frames:
                raise  # else what came before is told first
        return frames

    def close(self) -> list[Frame]:
        return self.feed(b"")

    def _next(self) -> bytes:
        """Take the next message out of the buffer; empty if it is not all there."""
        if len(self._buffer) < _LEAST:
            return b""
        length, headers, checksum = _PRELUDE.unpack_from(self._buffer)
        is_sound = crc32(self._buffer[:8]) == checksum and _LEAST + headers <= length <= _LONGEST
        if is_sound and len(self._buffer) < length:
            return b""
        message = bytes(self._buffer[:length]) if is_sound else b""
        if not is_sound or crc32(message[:-4]) != _CHECKSUM.unpack(message[-4:])[0]:
            raise UpstreamProtocolError("the upstream sent a broken event stream")
        del self._buffer[:length]
        return message


def _frame(message: bytes) -> Frame:
    end = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    try:
        headers = _read_headers(message[_PRELUDE.size : end])
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise UpstreamProtocolError("the upstream sent an event with broken headers") from error
    match headers.get(":message-type"):
        case "exception":
            return Frame(message[end:-4], EXCEPTION + headers.get(":exception-type", ""))
        case "error":
            report = msgspec.json.encode({"message": headers.get(":error-message", "")})
            return Frame(report, EXCEPTION + headers.get(":error-code", ""))
        case _:
            return Frame(message[end:-4], headers.get(":event-type", ""))


def _read_headers(data: bytes) -> dict[str, str]:
    """Return the headers that are strings; the others mean nothing to us."""
    found: dict[str, str] = {}
    place = 0
    while place < len(data):
        begin = place + 2 + data[place]
        name, kind = data[place + 1 : begin - 1].decode(), data[begin - 1]
        if (size := _SIZES.get(kind)) is None:
            (size,) = struct.unpack_from(">H", data, begin)
            begin += 2
        place = begin + size
        if kind == _STRING:
            found[name] = data[begin:place].decode()
    return found
