"""What goes along with the text: sources, and the work of tools that the vendor runs."""

from typing import Any

from gateway.types.content import FileCitation, UrlCitation
from gateway.types.items import CodeInterpreterCall, WebSearchCall

__all__ = ["SYSTEM_TOOLS", "Json", "hosted_item", "source_of"]

Json = dict[str, Any]

_SEARCH, _INTERPRETER = "nova_grounding", "nova_code_interpreter"
SYSTEM_TOOLS = {
    **dict.fromkeys(("web_search", "web_search_2025_08_26"), _SEARCH),
    **dict.fromkeys(("web_search_preview", "web_search_preview_2025_03_11"), _SEARCH),
    "code_interpreter": _INTERPRETER,
}
"""Amazon's names for the tools that it runs itself."""


def source_of(citation: Json, begin: int, end: int) -> UrlCitation | FileCitation:
    """Return the source of the text from `begin` to `end`, in characters of its message."""
    places: Json = citation.get("location") or {}
    place: Json = next(iter(places.values()), places)
    title: str = citation.get("title") or ""
    source: str = place.get("url") or citation.get("source") or ""
    if source.startswith(("http://", "https://")):
        return UrlCitation(url=source, title=title, start_index=begin, end_index=end)
    # Documents have no ids here: their place in the request is what tells them apart.
    file_id = f"document_{place['documentIndex']}" if "documentIndex" in place else source
    return FileCitation(file_id=file_id, filename=title or source, index=end)


def hosted_item(call: Json, result: Json) -> WebSearchCall | CodeInterpreterCall | None:
    """Return what a client sees of a call of the vendor's own tool, None for an unknown one."""
    status = "failed" if result.get("status") == "error" else "completed"
    query, code = (str(call["input"].get(name) or "") for name in ("query", "snippet"))
    if call.get("name") == _SEARCH:
        action = {"type": "search", "query": query, "queries": [query]}
        return WebSearchCall(status=status, action=action)
    if call.get("name") != _INTERPRETER:
        return None
    told: list[Json] = [part.get("json") or {} for part in result["content"]]
    logs = "".join(f"{one.get('stdOut') or ''}{one.get('stdErr') or ''}" for one in told)
    outputs = ({"type": "logs", "logs": logs},)
    return CodeInterpreterCall(status=status, container_id="", code=code, outputs=outputs)
