"""The visible text of an answer: where a message begins, and what its text cites."""

from __future__ import annotations

from gateway.plugin import Annotation, Delta, Text
from gateway.types.content import UrlCitation
from gateway_chat.citations import NumberedSources, read_annotation
from gateway_chat.wire import Citation

__all__ = ["Speech"]


class Speech:
    """Writes the text of one message after another, with its citations where it is open.

    White space alone opens no message: many servers send some between reasoning and calls.
    Citations that come before the text wait for it.
    """

    def __init__(self) -> None:
        self.open = False
        self.sources = NumberedSources()
        self._ever_open = False
        self._blank = ""
        self._texts: list[str] = []
        self._length = 0
        self._start = 0
        self._waiting: list[Citation] = []
        self._cited: set[UrlCitation] = set()

    def ready(self, text: str) -> str:
        """Return what to say now that `text` has come: nothing while there is white space only."""
        if self.open:
            return text
        text, self._blank = self._blank + text, ""
        if text.isspace():
            self._blank, text = text, ""
        return text

    def say(self, text: str, deltas: list[Delta]) -> None:
        """Say what `ready` returned; only the opening of a message takes more than that."""
        self._texts.append(text)
        deltas.append(Text(text))
        if not self.open:
            self.open = self._ever_open = True
            waiting, self._waiting = self._waiting, []
            self.cite(waiting, deltas)

    def skip(self, length: int) -> None:
        """Take note of `length` characters of content that are not text, or not of the message."""
        self._start += length

    def cite(self, annotations: list[Citation] | tuple[Citation, ...], deltas: list[Delta]) -> None:
        """Tell `annotations`; vendors may repeat them."""
        if not self.open:
            self._waiting += annotations
            return
        for annotation in annotations:
            citation = read_annotation(annotation, start=self._start)
            if citation and citation not in self._cited:
                self._cited.add(citation)
                deltas.append(Annotation(citation))

    def cite_here(self, url: str, title: str, deltas: list[Delta]) -> None:
        """Tell a source of what has just been said."""
        place = self._start + sum(map(len, self._texts))
        self.cite([Citation(url=url, title=title, start_index=place, end_index=place)], deltas)

    def interrupt(self, deltas: list[Delta]) -> None:
        """End the message, because something else follows, with what its text cites by number."""
        if not self.open:
            return
        text = "".join(self._texts)
        if not self._cited:
            deltas += [Annotation(citation) for citation in self.sources.cited_in(text)]
        self.open = False
        self._texts, self._cited = [], set()
        self._start += len(text)

    def close(self, deltas: list[Delta], *, alone: bool) -> None:
        """End the answer. White space is worth a message only if the answer is that `alone`."""
        if self._blank and alone and not self._ever_open:
            self.say(self._blank, deltas)
        self.interrupt(deltas)
