"""Sources of a text, whose places are counted in bytes."""

from __future__ import annotations

from gateway.types.content import Annotation, FileCitation, UrlCitation
from gateway_gemini.grounding import Segment, span_of
from gateway_gemini.interactions.wire import Citation

__all__ = ["cite"]


def cite(told: Citation, text: str, before: int) -> Annotation | None:
    """Return what was `told` of a source of `text`, after as many characters `before` it.

    A source without a place is one of all the text. None for a kind that is not known.
    """
    segment = Segment(start_index=told.start_index or 0, end_index=told.end_index or 0)
    start, end = (place + before for place in span_of(segment, text) or (0, len(text)))
    match told:
        case Citation(type="url_citation" | "place_citation", url=str(url)):
            title = told.title or told.name or ""
            return UrlCitation(url=url, title=title, start_index=start, end_index=end)
        case Citation(type="file_citation"):
            file = told.document_uri or told.source or ""
            return FileCitation(file_id=file, filename=told.file_name or "", index=end)
        case _:
            return None
