"""What Claude says aloud, with its sources as annotations."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from gateway.plugin import Annotation, Text
from gateway.plugin.citations import cite

__all__ = ["Speech"]


class _Citation(Struct, frozen=True):
    """What is read of a citation, of whichever kind; `source` is that of a search result."""

    url: str | None = None
    source: str | None = None
    title: str | None = None
    file_id: str | None = None
    document_title: str | None = None


class Speech:
    """The message under way: text blocks that follow on each other make one, and its text."""

    def __init__(self) -> None:
        self.said = False
        self._key = -1
        self._start = self._end = 0

    def begin_block(self, key: int, *, is_text: bool) -> None:
        if not is_text:
            self._key = -1
        elif self._key < 0:
            self._key, self._end = key, 0
        self._start = self._end

    def say(self, text: str) -> Text:
        self.said = True
        self._end += len(text)
        return Text(text, self._key)

    def cite(self, citations: object) -> Iterator[Annotation]:
        """Yield the sources of the text block that has just ended, if OpenAI can cite them: by
        their address or their id.
        """
        for told in msgspec.convert(citations or (), tuple[_Citation, ...]):
            cited = cite(
                (self._start, self._end),
                url=told.url or told.source or "",
                file_id=told.file_id or "",
                title=told.title or told.document_title or "",
            )
            if cited:
                yield Annotation(cited, self._key)
