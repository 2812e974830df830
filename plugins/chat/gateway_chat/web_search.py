"""The web search tool, for vendors whose Chat Completions can search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.plugin import Verdict
from gateway.types.request import Request
from gateway.types.tools import HostedChoice, WebSearchPreviewTool, WebSearchTool
from gateway_chat.quirks import Quirks

__all__ = ["check_web_search", "write_web_search"]

_UNKNOWN = "the upstream cannot search the web"
_NO_FILTER = "the upstream cannot filter what it finds like this"
_NO_HINT = "the upstream has no such hint"
_HINTS = ("external_web_access", "search_content_types")
_OPTIONS = ("user_location", "search_context_size")


def check_web_search(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of the web search tools of `request` a server with `quirks` cannot honour."""
    for position, tool in enumerate(request.tools or ()):
        path = f"tools[{position}]"
        if isinstance(tool, WebSearchTool | WebSearchPreviewTool):
            if quirks.web_search == "none":
                yield Verdict(action="reject", param=f"{path}.type", reason=_UNKNOWN)
            else:
                yield from _check_tool(tool, path, quirks)
    choice = request.tool_choice
    if isinstance(choice, HostedChoice) and _is_search(choice) and quirks.web_search == "none":
        yield Verdict(action="reject", param="tool_choice.type", reason=_UNKNOWN)


def write_web_search(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that ask for a search; such servers then always search."""
    for tool in request.tools or ():
        if isinstance(tool, WebSearchTool | WebSearchPreviewTool):
            return _write(tool, quirks)
    return {}


def _is_search(choice: HostedChoice) -> bool:
    return choice.type.startswith("web_search")


def _check_tool(
    tool: WebSearchTool | WebSearchPreviewTool, path: str, quirks: Quirks
) -> Iterator[Verdict]:
    filters = tool.filters if isinstance(tool, WebSearchTool) else None
    if filters and (quirks.web_search != "perplexity" or filters.keys() - {"allowed_domains"}):
        yield Verdict(action="reject", param=f"{path}.filters", reason=_NO_FILTER)
    hints = (*_HINTS, *_OPTIONS) if quirks.web_search == "plugin" else _HINTS
    for name in hints:
        if getattr(tool, name, None):
            yield Verdict(action="drop", param=f"{path}.{name}", reason=_NO_HINT)


def _write(tool: WebSearchTool | WebSearchPreviewTool, quirks: Quirks) -> dict[str, Any]:
    if quirks.web_search == "plugin":
        return {"plugins": [{"id": "web"}]}
    options: dict[str, Any] = {}
    if tool.search_context_size:
        options["search_context_size"] = tool.search_context_size
    if tool.user_location:
        place = {name: value for name, value in tool.user_location.items() if name != "type"}
        nested = {"type": "approximate", "approximate": place}
        options["user_location"] = nested if quirks.web_search == "openai" else place
    filters = (tool.filters if isinstance(tool, WebSearchTool) else None) or {}
    domains = filters.get("allowed_domains")
    members = {"search_domain_filter": domains} if domains else {}
    return {"web_search_options": options, **members}
