"""What Claude says aloud, with its sources as annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from gateway.plugin import Annotation, Key, Text
from gateway.types.content import FileCitation, UrlCitation

__all__ = ["Speech"]


class _Citation(Struct, frozen=True):
    """What is read of a citation, of whichever kind: `source` is that of a search result."""

    url: str | None = None
    source: str | None = None
    title: str | None = None
    file_id: str | None = None
    document_title: str | None = None


class Speech:
    """The message under way: text blocks that follow on each other make one, and its text."""

    def __init__(self) -> None:
        self._key: Key | None = None
        self._start = 0
        self._end = 0
        self.said = False

    def begin_block(self, key: Key) -> None:
        if self._key is None:
            self._key, self._end = key, 0
        self._start = self._end

    def end_message(self) -> None:
        self._key = None

    def say(self, text: str) -> Text:
        self.said = True
        self._end += len(text)
        return Text(text, self._key or "")

    def cite(self, citations: Any) -> Iterator[Annotation]:
        """Yield the sources of the text block that has just ended."""
        for citation in msgspec.convert(citations or (), tuple[_Citation, ...]):
            if annotation := self._annotation(citation):
                yield Annotation(annotation, self._key or "")

    def _annotation(self, citation: _Citation) -> UrlCitation | FileCitation | None:
        url = citation.url or citation.source or ""
        if url.startswith(("http://", "https://")):
            title = citation.title or ""
            return UrlCitation(url=url, title=title, start_index=self._start, end_index=self._end)
        if citation.file_id:
            name = citation.document_title or ""
            return FileCitation(file_id=citation.file_id, filename=name, index=self._end)
        return None  # OpenAI cannot cite what has neither an address nor an id
