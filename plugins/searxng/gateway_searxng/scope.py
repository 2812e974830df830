"""What a request wants of its searches: where to look, how much to tell, and for whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.errors import InvalidRequestError
from gateway.types.tools import Tool, WebSearchPreviewTool, WebSearchTool
from gateway.types.wire import JsonObject

__all__ = ["Scope", "scope_of"]

_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_MOST_NAMED = 16  # engines refuse long queries, or ignore their end
_FILTERS = ("allowed_domains", "blocked_domains")
_PLACE = ("city", "region", "country", "timezone")
_SIZES: dict[object, tuple[float, int]] = {
    "low": (0.5, 200),
    "medium": (1.0, 400),
    "high": (2.0, 1000),
}
"""How many times the operator's number of results, and the most characters of a snippet."""


class Scope(Struct, frozen=True, kw_only=True):
    """What one tool of a request asks for.

    `allowed` and `blocked` are domains, which stand for all below them too; no `allowed` is any.
    There are `share` times as many results as the operator wants, with at most `snippet` characters
    of each. `place` says in words where the user is.
    """

    allowed: tuple[str, ...]
    blocked: tuple[str, ...]
    share: float
    snippet: int
    place: str

    def query(self, query: str) -> str:
        """Return `query` with the domains, in words that many engines know, though not all."""
        if len(self.allowed) + len(self.blocked) > _MOST_NAMED:
            return query
        allowed = " OR ".join(f"site:{domain}" for domain in self.allowed)
        sites = f"({allowed})" if len(self.allowed) > 1 else allowed
        return " ".join(filter(None, (query, sites, *(f"-site:{name}" for name in self.blocked))))

    def covers(self, url: str) -> bool:
        """Say whether the page at `url` is where the request wants to look."""
        try:
            host = _ascii(urlsplit(url).hostname or "")
        except ValueError:
            return False
        if _is_within(host, self.blocked):
            return False
        return not self.allowed or _is_within(host, self.allowed)


def scope_of(tool: Tool) -> Scope:
    """Return what `tool` asks for. Raises `InvalidRequestError` for what cannot be had; `param` is
    the member of the tool.
    """
    assert isinstance(tool, WebSearchTool | WebSearchPreviewTool)
    kinds = tool.search_content_types
    if kinds and "text" not in kinds:
        raise _refused("search_content_types", "the gateway's search finds only text")
    size = tool.search_context_size or "medium"
    if size not in _SIZES:
        raise _refused("search_context_size", "write low, medium or high")
    filters = tool.filters if isinstance(tool, WebSearchTool) else None
    allowed, blocked = _filters(filters or {})
    share, snippet = _SIZES[size]
    return Scope(
        allowed=allowed,
        blocked=blocked,
        share=share,
        snippet=snippet,
        place=_place(tool.user_location or {}),
    )


def _filters(filters: JsonObject) -> tuple[tuple[str, ...], tuple[str, ...]]:
    for name in filters.keys() - set(_FILTERS):
        raise _refused(f"filters.{name}", "the gateway's search has no such filter")
    allowed, blocked = (tuple(_domains(filters.get(name), name)) for name in _FILTERS)
    return allowed, blocked


def _domains(given: Any, name: str) -> Iterator[str]:
    if not isinstance(given, list | None):
        raise _refused(f"filters.{name}", "write a list of domains")
    for position, value in enumerate(cast("list[Any]", given or [])):
        try:
            domain = _ascii(value) if isinstance(value, str) else ""
        except ValueError:
            domain = ""
        if not _DOMAIN.fullmatch(domain):
            problem = "write a domain such as example.com, without https:// and path"
            raise _refused(f"filters.{name}[{position}]", problem)
        yield domain


def _place(location: JsonObject) -> str:
    if location.get("type", "approximate") != "approximate":
        raise _refused("user_location.type", "write approximate")
    for name in location.keys() - {"type", *_PLACE}:
        raise _refused(f"user_location.{name}", "the gateway's search has no use for it")
    for name in _PLACE:
        if not isinstance(location.get(name), str | None):
            raise _refused(f"user_location.{name}", "write a text")
    return ", ".join(location[name] for name in _PLACE if location.get(name))


def _is_within(host: str, domains: Collection[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _ascii(host: str) -> str:
    """Return `host` as resolvers know it. Raises `ValueError` for what can be none."""
    return host.rstrip(".").encode("idna").decode().lower()


def _refused(param: str, problem: str) -> InvalidRequestError:
    return InvalidRequestError(problem, param=param)
