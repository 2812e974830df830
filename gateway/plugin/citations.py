"""Sources of what a model says, as the annotations that OpenAI's clients know."""

from __future__ import annotations

from gateway.types.content import FileCitation, UrlCitation

__all__ = ["cite"]


def cite(
    span: tuple[int, int], *, url: str = "", file_id: str = "", title: str = ""
) -> UrlCitation | FileCitation | None:
    """Return the source of the text at `span`, which is in characters: a page of the web, or else
    a file, or None for what is neither.
    """
    start, end = span
    if url.startswith(("http://", "https://")):
        return UrlCitation(url=url, title=title, start_index=start, end_index=end)
    return FileCitation(file_id=file_id, filename=title, index=end) if file_id else None
