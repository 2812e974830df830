"""What an answer rests on: the sources that it cites, and the pages and files it was made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from gateway.plugin.citations import cite
from gateway.plugin.hosted import page_call, search_call
from gateway.types.content import Annotation, FileCitation
from gateway.types.items import WebSearchCall

__all__ = ["Grounds", "Segment", "span_of"]

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


class Citation(Segment, frozen=True, rename="camel"):
    """A text that the answer repeats."""

    uri: str | None = None
    title: str | None = None


class Page(Struct, frozen=True, rename="camel"):
    retrieved_url: str | None = None
    url_retrieval_status: str | None = None


class Grounding(Struct, frozen=True, rename="camel"):
    """What an answer says of its grounds, of whichever kind."""

    grounding_chunks: tuple[Found, ...] = ()
    grounding_supports: tuple[Support, ...] = ()
    web_search_queries: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    citation_sources: tuple[Citation, ...] = ()
    url_metadata: tuple[Page, ...] = ()


class Grounds:
    """Collects the grounds of one answer. Each is told once; later lists replace earlier ones."""

    def __init__(self) -> None:
        self._known = Grounding()

    def read(self, told: dict[str, Any]) -> None:
        """Take in what one chunk of the answer tells. Raises `msgspec.ValidationError`."""
        news = msgspec.convert({name: told[name] for name in told if told[name]}, Grounding)
        listed = {name: members for name, members in asdict(news).items() if members}
        self._known = replace(self._known, **listed)

    def cited_in(self, text: str) -> Iterator[Annotation]:
        """Yield the sources of what `text` says; they are not told of another text again."""
        known, missed = self._known, list[Support]()
        count = len(known.grounding_chunks)
        for support in known.grounding_supports:
            if (span := span_of(support.segment or Segment(), text)) is None:
                missed.append(support)
                continue
            for index in support.grounding_chunk_indices or ():
                found = known.grounding_chunks[index] if 0 <= index < count else Found()
                if cited := _cite(found, span):
                    yield cited
        for one in known.citations or known.citation_sources:
            page = Found(web=Source(one.uri, one.title))
            if (span := span_of(one, text)) and (cited := _cite(page, span)):
                yield cited
        told = {"citations": (), "citation_sources": ()}
        self._known = replace(known, grounding_supports=tuple(missed), **told)

    def items(self, include: Collection[str]) -> Iterator[WebSearchCall]:
        """Yield the search, if there was one, with what `include` asks for, and the pages read."""
        if queries := self._known.web_search_queries:
            urls = [found.web.uri or "" for found in self._known.grounding_chunks if found.web]
            yield search_call(queries, urls, include, status="completed")
        for page in self._known.url_metadata:
            status = "completed" if page.url_retrieval_status in (None, _READ) else "failed"
            yield page_call(page.retrieved_url or "", status=status)


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


def _cite(found: Found, span: tuple[int, int]) -> Annotation | None:
    source = found.web or found.maps or found.retrieved_context or Source()
    if cited := cite(span, url=source.uri or "", title=source.title or ""):
        return cited
    name = source.document_name or source.file_search_store or source.uri or ""
    file = FileCitation(file_id=name, filename=source.title or "", index=span[1])
    return file if found.retrieved_context else None
