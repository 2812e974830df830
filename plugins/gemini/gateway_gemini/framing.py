"""How an answer is cut into frames: as events, unless it is JSON that only calls itself so."""

from __future__ import annotations

from gateway.plugin import Frame, SSEDecoder, WholeBody

__all__ = ["GeminiFraming"]


class GeminiFraming(SSEDecoder):
    """Cuts a stream of events; a JSON text, such as an error, is one frame."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = b""
        self._whole: WholeBody | None = None

    def feed(self, chunk: bytes, /) -> list[Frame]:
        if not self._begun:
            self._begun = chunk.lstrip()[:1]
            self._whole = WholeBody() if self._begun in (b"{", b"[") else None
        return self._whole.feed(chunk) if self._whole else super().feed(chunk)

    def close(self) -> list[Frame]:
        return self._whole.close() if self._whole else super().close()
