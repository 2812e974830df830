"""Sources that answers cite: annotations, numbered lists, and what tools have found before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from gateway.types.content import UrlCitation
from gateway.types.items import FunctionCallOutput
from gateway.types.request import Request
from gateway_chat.wire import Chunk, Citation, Source

__all__ = ["NumberedSources", "found_by_tools", "read_annotation"]

_MARKER = re.compile(r"\[(\d{1,4})\]")


def read_annotation(annotation: Citation, *, start: int) -> UrlCitation | None:
    """Return the web source in `annotation`, whose offsets count from the content's beginning.

    The message that is cited begins at `start` of it. None if this is no web source.
    """
    cited = annotation.url_citation or annotation
    if not cited.url:
        return None
    return UrlCitation(
        url=cited.url,
        title=cited.title or "",
        start_index=max(0, (cited.start_index or 0) - start),
        end_index=max(0, (cited.end_index or 0) - start),
    )


class NumberedSources:
    """Sources that a text cites by number, as `[2]`; a later list replaces an earlier one."""

    def __init__(self) -> None:
        self._urls: list[str] = []
        self._titles: dict[str, str] = {}

    def read(self, chunk: Chunk) -> None:
        """Take in `citations`, the numbered list, and `search_results`, which knows titles."""
        found = [source for source in chunk.search_results or () if source.url]
        self._titles |= {str(source.url): source.title or "" for source in found}
        listed = [one for one in chunk.citations or () if isinstance(one, Source)]
        self._titles |= {str(source.url): source.title for source in listed if source.title}
        urls = [one if isinstance(one, str) else one.url or "" for one in chunk.citations or ()]
        self._urls = urls or self._urls or [str(source.url) for source in found]

    def cited_in(self, text: str) -> Iterator[UrlCitation]:
        """Yield a citation for each number in `text` that counts a source."""
        if not self._urls:
            return
        for marker in _MARKER.finditer(text):
            number = int(marker[1])
            if 0 < number <= len(self._urls) and (url := self._urls[number - 1]):
                yield UrlCitation(
                    url=url,
                    title=self._titles.get(url, ""),
                    start_index=marker.start(),
                    end_index=marker.end(),
                )


def found_by_tools(request: Request | None) -> Mapping[str, Source]:
    """Return what the outputs of tools list as sources, by the ids that Mistral refers to.

    Such an output is a JSON object whose members, by id, are objects with a `url`.
    """
    items = request.input if request else None
    if items is None or isinstance(items, str):
        return {}
    outputs = [item.output for item in items if isinstance(item, FunctionCallOutput)]
    return {
        name: source
        for output in outputs
        if isinstance(output, str)
        for name, source in _sources_in(output)
    }


def _sources_in(output: str) -> Iterator[tuple[str, Source]]:
    try:
        listed = msgspec.json.decode(output)
    except (ValueError, RecursionError):
        return
    if not isinstance(listed, dict):
        return
    for name, member in cast("dict[str, Any]", listed).items():
        try:
            source = msgspec.convert(member, Source)
        except msgspec.ValidationError:
            continue
        if source.url:
            yield name, source
