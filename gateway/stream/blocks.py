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
    "split_frames",
]

_CARRIAGE_RETURN = 0x0D  # looking for a number is quicker than for bytes
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
        if not self._held and chunk.endswith(b"\n\n"):  # as nearly every chunk
            return chunk
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
    """A frame of which only the last line is data, all lines ending in LF: `data` is its payload,
    perhaps after a space, which means nothing in JSON. `start` and `end` say where it was found.

    Nearly every upstream writes such frames, and they are cheap to read.
    """

    __slots__ = ("_head", "data", "end", "start")

    def __init__(self, block: bytes, start: int, line: int, end: int) -> None:
        self._head = block[start : line + 5]
        self.data = block[line + 5 : end - 2]
        self.start = start
        self.end = end

    @property
    def name(self) -> str:
        return RawFrame(self._head).name

    def with_data(self, data: bytes) -> bytes:
        """Return the frame with another payload of one line."""
        return b"".join((self._head, data, b"\n\n"))


class RawFrame:
    """A frame as it came, line by line: `data` is its payload, `name` that of its event line.

    `start` and `end` say where it was found.
    """

    def __init__(self, frame: bytes, start: int = 0) -> None:
        self.start = start
        self.end = start + len(frame)
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


def split_frames(block: bytes) -> list[bytes]:
    """Return the frames of `block`, which join to it again."""
    if b"\r" not in block:
        *frames, rest = block.split(b"\n\n")
        return [*(frame + b"\n\n" for frame in frames), rest]
    ends = [0, *(match.end() for match in _BLANK_LINE.finditer(block))]
    return [*(block[start:end] for start, end in pairwise(ends)), block[ends[-1] :]]


def find_frames(block: bytes, mark: bytes) -> Iterator[PlainFrame | RawFrame]:
    """Yield the frames of `block` that have `mark` in them."""
    if _CARRIAGE_RETURN in block:
        yield from _find_any_frames(block, mark)
        return
    end = 0
    while (hit := block.find(mark, end)) >= 0:
        frame = _frame_around(block, end, hit)
        yield frame
        end = frame.end


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


def _frame_around(block: bytes, begin: int, hit: int) -> PlainFrame | RawFrame:
    """Return the frame at `hit`, where no frame that ends before `begin` can reach."""
    line = block.rfind(b"\n", 0, hit) + 1
    line_end = block.find(b"\n", hit)
    blank = block.rfind(b"\n\n", begin, line)
    start = begin if blank < 0 else blank + 2
    if block.find(b"data:", start) == line and block[line_end : line_end + 2] == b"\n\n":
        return PlainFrame(block, start, line, line_end + 2)
    blank = block.find(b"\n\n", hit)
    end = len(block) if blank < 0 else blank + 2
    return RawFrame(block[start:end], start)


def _find_any_frames(block: bytes, mark: bytes) -> Iterator[RawFrame]:
    start = 0
    for frame in split_frames(block):
        if mark in frame:
            yield RawFrame(frame, start)
        start += len(frame)


def _lines(frame: bytes) -> list[bytes]:
    """Return the lines with their ends, as `splitlines` does but quicker where all end in LF."""
    if _CARRIAGE_RETURN in frame:
        return frame.splitlines(keepends=True)
    lines: list[bytes] = []
    start = 0
    while end := frame.find(b"\n", start) + 1:
        lines.append(frame[start:end])
        start = end
    return [*lines, frame[start:]] if start < len(frame) else lines


def _end_of_frames(window: bytes) -> int:
    """Return where the last whole frame of `window` ends, or 0."""
    if window.endswith(b"\n\n"):
        return len(window)
    if _CARRIAGE_RETURN in window:
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
