"""Sources of a text, whose places are counted in bytes."""

from __future__ import annotations

from typing import Any

from gateway.types.content import Annotation, FileCitation, UrlCitation
from gateway_gemini.grounding import Segment, span_of

__all__ = ["cite"]


def cite(told: dict[str, Any], text: str, before: int) -> Annotation | None:
    """Return what was `told` of a source of `text`, after as many characters `before` it.

    A source without a place is one of all the text. None for a kind that is not known.
    """
    segment = Segment(
        start_index=told.get("start_index") or 0, end_index=told.get("end_index") or 0
    )
    start, end = (place + before for place in span_of(segment, text) or (0, len(text)))
    match told:
        case {"type": "url_citation" | "place_citation", "url": str(url)}:
            title = told.get("title") or told.get("name") or ""
            return UrlCitation(url=url, title=title, start_index=start, end_index=end)
        case {"type": "file_citation"}:
            file = told.get("document_uri") or told.get("source") or ""
            return FileCitation(file_id=file, filename=told.get("file_name") or "", index=end)
        case _:
            return None
