"""Sources of what a tool has found, cited where the model writes their URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.plugin.tools import Source
from gateway.stream.deltas import Annotation, Key, Text
from gateway.types.content import UrlCitation

__all__ = ["Citing"]

_GOES_ON = r"(?![\w/%?#=&~+-])"
"""Where a URL ends: `https://a.example/b` is not cited by `https://a.example/bc`."""


class Citing:
    """Reads the text of one message after the other, and cites the `sources` named in it."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = {source.url: source for source in sources}
        urls = sorted(map(re.escape, self._sources), key=len, reverse=True)
        self._pattern = re.compile(f"(?:{'|'.join(urls)}){_GOES_ON}") if urls else None
        self._key: Key | None = None
        self._pieces: list[str] = []

    def read(self, delta: Text) -> Iterator[Annotation]:
        """Note more text, and cite what the message before it has named."""
        if self._pattern is None:
            return
        if delta.key != self._key:
            yield from self.end()
            self._key = delta.key
        self._pieces.append(delta.text)

    def end(self) -> Iterator[Annotation]:
        """Cite what the message has named, now that it is over."""
        key, text = self._key, "".join(self._pieces)
        self._key, self._pieces = None, []
        if self._pattern is None or key is None:
            return
        for found in self._pattern.finditer(text):
            source = self._sources[found[0]]
            citation = UrlCitation(
                url=source.url,
                title=source.title,
                start_index=found.start(),
                end_index=found.end(),
            )
            yield Annotation(citation, key)
