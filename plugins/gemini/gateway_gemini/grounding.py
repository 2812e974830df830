"""What an answer rests on: the sources that it cites, and the pages and files it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from gateway.types.content import Annotation, FileCitation, UrlCitation
from gateway.types.items import WebSearchCall

__all__ = ["Grounded", "Grounds", "Segment", "span_of"]

_READ = "URL_RETRIEVAL_STATUS_SUCCESS"


class Source(Struct, frozen=True, rename="camel"):
    """A web page, a place on a map, or a document in a store of Google's."""

    uri: str | None = None
    title: str | None = None
    document_name: str | None = None
    file_search_store: str | None = None


class Found(Struct, frozen=True, rename="camel"):
    web: Source | None = None
    maps: Source | None = None
    retrieved_context: Source | None = None


class Segment(Struct, frozen=True, rename="camel"):
    """A piece of the answer; the offsets count bytes."""

    start_index: int | None = None
    end_index: int | None = None
    text: str | None = None


class Support(Struct, frozen=True, rename="camel"):
    segment: Segment | None = None
    grounding_chunk_indices: tuple[int, ...] | None = None


class Grounding(Struct, frozen=True, rename="camel"):
    grounding_chunks: tuple[Found, ...] | None = None
    grounding_supports: tuple[Support, ...] | None = None
    web_search_queries: tuple[str, ...] | None = None


class Citation(Segment, frozen=True, rename="camel"):
    """A text that the answer repeats."""

    uri: str | None = None
    title: str | None = None


class Citations(Struct, frozen=True, rename="camel"):
    citations: tuple[Citation, ...] | None = None
    citation_sources: tuple[Citation, ...] | None = None


class Page(Struct, frozen=True, rename="camel"):
    retrieved_url: str | None = None
    url_retrieval_status: str | None = None


class Pages(Struct, frozen=True, rename="camel"):
    url_metadata: tuple[Page, ...] | None = None


class Grounded(Struct, frozen=True, rename="camel"):
    """What a candidate says of its grounds; streams say it at their end."""

    grounding_metadata: Grounding | None = None
    citation_metadata: Citations | None = None
    url_context_metadata: Pages | None = None


class Grounds:
    """Collects the grounds of one answer. Each is told once; later lists replace earlier ones."""

    def __init__(self) -> None:
        self._found: tuple[Found, ...] = ()
        self._queries: tuple[str, ...] = ()
        self._pages: tuple[Page, ...] = ()
        self._supports: list[Support] = []
        self._repeated: list[Citation] = []

    def read(self, grounded: Grounded) -> None:
        """Take in what one chunk of the answer tells."""
        if told := grounded.grounding_metadata:
            self._found = told.grounding_chunks or self._found
            self._queries = told.web_search_queries or self._queries
            self._supports = [*(told.grounding_supports or ())] or self._supports
        if pages := grounded.url_context_metadata:
            self._pages = pages.url_metadata or self._pages
        if cited := grounded.citation_metadata:
            self._repeated = [*(cited.citations or cited.citation_sources or ())] or self._repeated

    def cited_in(self, text: str) -> Iterator[Annotation]:
        """Yield the sources of what `text` says; they are not told of another text again."""
        supports, self._supports = self._supports, []
        for support in supports:
            if (span := span_of(support.segment or Segment(), text)) is None:
                self._supports.append(support)
                continue
            for index in support.grounding_chunk_indices or ():
                if 0 <= index < len(self._found) and (cited := _cite(self._found[index], *span)):
                    yield cited
        repeated, self._repeated = self._repeated, []
        for one in repeated:
            if one.uri and (span := span_of(one, text)):
                yield _at(one.uri, one.title, *span)

    def items(self, *, sources: bool) -> Iterator[WebSearchCall]:
        """Yield the search, if there was one, with its `sources` if wanted, and the pages read."""
        if self._queries:
            search: dict[str, Any] = {"type": "search", "queries": self._queries}
            search["query"] = self._queries[0]
            if sources:
                urls = [found.web.uri or "" for found in self._found if found.web]
                search["sources"] = [{"type": "url", "url": url} for url in urls]
            yield WebSearchCall(status="completed", action=search)
        for page in self._pages:
            status = "completed" if page.url_retrieval_status in (None, _READ) else "failed"
            action = {"type": "open_page", "url": page.retrieved_url or ""}
            yield WebSearchCall(status=status, action=action)


def span_of(segment: Segment, text: str) -> tuple[int, int] | None:
    """Return where `segment` stands in `text`, in characters; None if it does not.

    Its offsets count from the beginning of its part, of which there may be several in `text`.
    """
    data = text.encode()
    start, end = segment.start_index or 0, segment.end_index or 0
    if segment.text and data[start:end] != segment.text.encode():
        place = text.find(segment.text)
        return None if place < 0 else (place, place + len(segment.text))
    if not 0 <= start < end <= len(data):
        return None
    return len(data[:start].decode(errors="ignore")), len(data[:end].decode(errors="ignore"))


def _cite(found: Found, start: int, end: int) -> Annotation | None:
    if source := found.web or found.maps:
        return _at(source.uri or "", source.title, start, end)
    if (source := found.retrieved_context) is None:
        return None
    if source.uri and source.uri.startswith("http"):
        return _at(source.uri, source.title, start, end)
    name = source.document_name or source.file_search_store or source.uri or ""
    return FileCitation(file_id=name, filename=source.title or "", index=end)


def _at(url: str, title: str | None, start: int, end: int) -> UrlCitation:
    return UrlCitation(url=url, title=title or "", start_index=start, end_index=end)
