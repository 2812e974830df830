"""Server-sent events, without I/O, as the transports of MCP use them: data, names, ids, waits."""

from __future__ import annotations

from msgspec import Struct

from gateway_mcp.connection import McpProtocolError
from gateway_mcp.messages import INVALID_ANSWER

__all__ = ["EventDecoder", "ServerEvent"]


class ServerEvent(Struct, frozen=True, kw_only=True):
    """One event. `id` and `retry` (seconds) are set on events without data, too."""

    name: str = "message"
    data: bytes = b""
    id: str | None = None
    retry: float | None = None


class EventDecoder:
    """Cuts a byte stream into events, however the network has split it.

    Raises `McpProtocolError` once an unfinished event has more than `limit` bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._started = False
        self._after_return = False
        self._line = bytearray()
        self._fields: dict[str, bytes] = {}
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes, /) -> list[ServerEvent]:
        """Return the events that `chunk` completes."""
        *lines, rest = self._unified(chunk).split(b"\n")
        events: list[ServerEvent] = []
        for end in lines:
            event = self._read(self._whole_line(end))
            if event is not None:
                events.append(event)
        self._line += rest
        if self._size + len(self._line) > self._limit:
            raise McpProtocolError(
                INVALID_ANSWER, f"the server sent an event of more than {self._limit} bytes"
            )
        return events

    def _unified(self, chunk: bytes) -> bytes:
        """Return `chunk` with LF for every line end; a CRLF may have been split between chunks."""
        if self._after_return and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_return = False
        if b"\r" not in chunk:
            return chunk
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _whole_line(self, end: bytes) -> bytes:
        line = bytes(self._line) + end
        self._line.clear()
        if not self._started:
            self._started = True
            line = line.removeprefix(b"\xef\xbb\xbf")
        return line

    def _read(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._finish()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        self._size += len(line)
        if name == b"data":
            self._data.append(value)
        elif name in {b"event", b"id", b"retry"}:
            self._fields[name.decode()] = value
        return None

    def _finish(self) -> ServerEvent | None:
        fields, data = self._fields, b"\n".join(self._data)
        self._fields, self._data, self._size = {}, [], 0
        if not (fields or data):
            return None
        retry = fields.get("retry", b"")
        return ServerEvent(
            name=fields.get("event", b"").decode(errors="replace") or "message",
            data=data,
            id=fields["id"].decode(errors="replace") if "id" in fields else None,
            retry=int(retry[:9]) / 1000 if retry.isdigit() else None,
        )
