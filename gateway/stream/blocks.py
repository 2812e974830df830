"""Cutting a stream of events into blocks of whole frames, with every byte as it came.

`SSEDecoder` says what frames mean; this says only where they end, which is much cheaper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from gateway.errors import UpstreamProtocolError

__all__ = [
    "BlockCutter",
    "PlainFrame",
    "RawFrame",
    "find_frames",
    "finish_frame",
    "read_frame",
    "split_frames",
]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A blank line, whatever ends the lines. Atomic, so that CRLF never counts as two ends.
_BLANK_LINE = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")


class BlockCutter:
    """Cuts a byte stream after its last whole frame and holds the rest back until it is whole.

    Raises `UpstreamProtocolError` when it would have to hold more than `limit` bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._tail = b""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held back."""
        return not self._held

    def feed(self, chunk: bytes, /) -> bytes:
        """Return the frames that `chunk` completes as one block, or nothing."""
        window = self._tail + chunk if self._tail else chunk
        end = _end_of_frames(window) - len(self._tail)
        if end <= 0:
            self._hold(chunk)
            return b""
        block = chunk[:end]
        if self._held:
            block = b"".join((*self._held, block))
            self._drop()
        if end < len(chunk):
            self._hold(chunk[end:])
        return block

    def close(self) -> bytes:
        """Return what is held back: the beginning of a frame, or nothing."""
        rest = b"".join(self._held)
        self._drop()
        return rest

    def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._size += len(piece)
        self._tail = piece[-1:]  # perhaps the end of the line before a blank one
        if self._size > self._limit:
            self._drop()
            raise UpstreamProtocolError(
                f"the provider sent an event of more than {self._limit} bytes"
            )

    def _drop(self) -> None:
        self._held.clear()
        self._size = 0
        self._tail = b""


class PlainFrame:
    """A frame of which only the last line, at `start`, is data, all lines ending in LF.

    Nearly every upstream writes such frames, and they are cheap to read.
    """

    __slots__ = ("_frame", "_start")

    def __init__(self, frame: bytes, start: int) -> None:
        self._frame = frame
        self._start = start

    @property
    def name(self) -> str:
        return RawFrame(self._frame).name

    @property
    def data(self) -> bytes:
        return self._frame[self._start : -2]

    def with_data(self, data: bytes) -> bytes:
        """Return the frame with another payload of one line."""
        return b"".join((self._frame[: self._start], data, b"\n\n"))


class RawFrame:
    """A frame as it came, line by line: `data` is its payload, `name` that of its event line."""

    def __init__(self, frame: bytes) -> None:
        self._lines = _lines(frame)
        self.name = ""
        data: list[bytes] = []
        for line in self._lines:
            field, colon, value = line.removeprefix(_BYTE_ORDER_MARK).partition(b":")
            value = value.rstrip(b"\r\n").removeprefix(b" ")
            if field + colon == b"data:":
                data.append(value)
            elif field == b"event":
                self.name = value.decode(errors="replace")
        self.data = b"\n".join(data)

    def with_data(self, data: bytes) -> bytes:
        """Return the frame with another payload, all its other lines and its line ends kept."""
        frame = bytearray()
        written = False
        for line in self._lines:
            if not line.removeprefix(_BYTE_ORDER_MARK).startswith(b"data:"):
                frame += line
            elif not written:
                frame += _data_lines(line, data)
                written = True
        return bytes(frame)


def read_frame(frame: bytes) -> PlainFrame | RawFrame:
    """Return `frame`, a whole one, in the cheapest form that can hold it."""
    line = 0 if frame.startswith(b"data:") else frame.find(b"\ndata:") + 1
    is_last = frame.find(b"\n", line) == len(frame) - 2 and frame.startswith(b"data:", line)
    if not is_last or b"\r" in frame or frame.startswith(_BYTE_ORDER_MARK):
        return RawFrame(frame)
    return PlainFrame(frame, line + (6 if frame.startswith(b"data: ", line) else 5))


def split_frames(block: bytes) -> list[bytes]:
    """Return the frames of `block`, which join to it again."""
    if b"\r" not in block:
        *frames, rest = block.split(b"\n\n")
        return [*(frame + b"\n\n" for frame in frames), rest]
    ends = [0, *(match.end() for match in _BLANK_LINE.finditer(block))]
    return [*(block[start:end] for start, end in pairwise(ends)), block[ends[-1] :]]


def find_frames(block: bytes, mark: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the frames of `block` begin and end that have `mark` in them."""
    if b"\r" in block:
        yield from _find_any_frames(block, mark)
        return
    end = 0
    while (hit := block.find(mark, end)) >= 0:
        before = block.rfind(b"\n\n", end, hit)
        start = end if before < 0 else before + 2
        after = block.find(b"\n\n", hit)
        end = len(block) if after < 0 else after + 2
        yield start, end


def finish_frame(rest: bytes) -> bytes:
    """Return the last frame of a stream that ended without a blank line, or nothing if it is cut.

    White space alone is returned as it is.
    """
    if not rest.strip():
        return rest
    data = RawFrame(rest).data
    if data != b"[DONE]" and not _is_json(data):
        return b""
    line_end = b"\r\n" if b"\r\n" in rest else b"\n"
    return rest.rstrip(b"\r\n") + line_end * 2


def _find_any_frames(block: bytes, mark: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    for frame in split_frames(block):
        end = start + len(frame)
        if mark in frame:
            yield start, end
        start = end


def _lines(frame: bytes) -> list[bytes]:
    """Return the lines with their ends, as `splitlines` does but quicker where all end in LF."""
    if b"\r" in frame:
        return frame.splitlines(keepends=True)
    lines: list[bytes] = []
    start = 0
    while end := frame.find(b"\n", start) + 1:
        lines.append(frame[start:end])
        start = end
    return [*lines, frame[start:]] if start < len(frame) else lines


def _end_of_frames(window: bytes) -> int:
    """Return where the last whole frame of `window` ends, or 0."""
    if b"\r" in window:
        return max((match.end() for match in _BLANK_LINE.finditer(window)), default=0)
    position = window.rfind(b"\n\n")
    return position + 2 if position >= 0 else 0


def _data_lines(line: bytes, data: bytes) -> bytes:
    """Write `data` as lines that begin and end like `line`."""
    content = line.rstrip(b"\r\n")
    line_end = line[len(content) :]
    before, colon, value = content.partition(b":")
    prefix = before + colon + (b" " if value.startswith(b" ") else b"")
    first, *more = data.split(b"\n")
    prefix_of_more = prefix.removeprefix(_BYTE_ORDER_MARK)
    return b"".join((prefix, first, line_end, *(prefix_of_more + part + line_end for part in more)))


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True
