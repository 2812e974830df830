"""Frames, and how the bytes of an answer are cut into them."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

__all__ = ["Frame", "Framing", "WholeBody"]


class Frame(Struct, frozen=True):
    """One framed unit of upstream bytes; `event` is its name where the framing has names."""

    data: bytes
    event: str | None = None


class Framing(Protocol):
    """Cuts one answer into frames. Made new for each call."""

    def feed(self, chunk: bytes, /) -> list[Frame]:
        """Return the frames that `chunk` completes; any split of the bytes gives the same
        frames.
        """
        ...

    def close(self) -> list[Frame]:
        """Return what the end of the answer completes."""
        ...


class WholeBody:
    """The framing of an answer that is not a stream: its whole body is one frame."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes, /) -> list[Frame]:
        self._chunks.append(chunk)
        return []

    def close(self) -> list[Frame]:
        body = b"".join(self._chunks)
        self._chunks.clear()
        return [Frame(body)] if body.strip() else []
