"""The web search tool, for vendors whose Chat Completions can search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.plugin import Verdict
from gateway.plugin.support import dropped, rejected
from gateway.types.request import Request
from gateway.types.tools import HostedChoice, WebSearchPreviewTool, WebSearchTool
from gateway_chat.quirks import Quirks

__all__ = ["check_web_search", "write_search_options", "write_search_tools"]

_UNKNOWN = "the upstream cannot search the web"
_NOT_FORCED = "the upstream cannot be made to search the web"
_NO_FILTER = "the upstream cannot filter what it finds like this"
_HINTS = ("external_web_access", "search_content_types")

Search = WebSearchTool | WebSearchPreviewTool


def check_web_search(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of the web search tools of `request` a server with `quirks` cannot honour."""
    for position, tool in enumerate(request.tools or ()):
        path = f"tools[{position}]"
        if isinstance(tool, Search):
            if quirks.web_search == "none":
                yield rejected(f"{path}.type", _UNKNOWN)
            else:
                yield from _check_tool(tool, path, quirks)
    reason = {"none": _UNKNOWN, "openrouter": _NOT_FORCED}.get(quirks.web_search)
    if reason and _is_chosen(request):
        yield rejected("tool_choice.type", reason)


def write_search_options(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that make servers search which know no tool for it."""
    tool = _search(request)
    if tool is None or quirks.web_search not in ("openai", "perplexity"):
        return {}
    options = _size(tool)
    if tool.user_location:
        place = {name: value for name, value in tool.user_location.items() if name != "type"}
        nested = {"type": "approximate", "approximate": place}
        options["user_location"] = nested if quirks.web_search == "openai" else place
    domains = _domains(tool)
    return {"web_search_options": options} | ({"search_domain_filter": domains} if domains else {})


def write_search_tools(request: Request, quirks: Quirks) -> list[dict[str, Any]]:
    """Return the tool to list, if that is how the server can be given a search."""
    tool = _search(request)
    if tool is None or quirks.web_search != "openrouter":
        return []
    parameters = _size(tool)
    if tool.user_location:
        parameters["user_location"] = tool.user_location
    if domains := _domains(tool):
        parameters["allowed_domains"] = domains
    return [{"type": "openrouter:web_search", "parameters": parameters}]


def _is_chosen(request: Request) -> bool:
    choice = request.tool_choice
    return isinstance(choice, HostedChoice) and choice.type.startswith("web_search")


def _search(request: Request) -> Search | None:
    return next((tool for tool in request.tools or () if isinstance(tool, Search)), None)


def _size(tool: Search) -> dict[str, Any]:
    size = tool.search_context_size
    return {"search_context_size": size} if size else {}


def _domains(tool: Search) -> Any:
    filters = tool.filters if isinstance(tool, WebSearchTool) else None
    return (filters or {}).get("allowed_domains")


def _check_tool(tool: Search, path: str, quirks: Quirks) -> Iterator[Verdict]:
    filters = tool.filters if isinstance(tool, WebSearchTool) else None
    if filters and (quirks.web_search == "openai" or filters.keys() - {"allowed_domains"}):
        yield rejected(f"{path}.filters", _NO_FILTER)
    for name in _HINTS:
        if getattr(tool, name, None):
            yield dropped(f"{path}.{name}")
