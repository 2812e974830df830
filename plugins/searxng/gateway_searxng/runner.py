"""Searches the web for whichever model asks for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self

import msgspec
from msgspec import Struct

from gateway.plugin import Invocation, Source, ToolFunction, ToolOutcome, ToolRunner
from gateway.plugin.hosted import search_call
from gateway.types.items import WebSearchCall
from gateway.types.tools import Tool
from gateway_searxng.client import Result, SearchError
from gateway_searxng.report import report
from gateway_searxng.scope import Scope, scope_of

__all__ = ["Engine", "WebSearchRunner"]

_log = logging.getLogger(__name__)

_DESCRIPTION = "Search the web. Returns titles, URLs and excerpts of pages."
_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "description": "What to search for, as for a search engine."}
    },
    "required": ["query"],
    "additionalProperties": False,
}
_INVALID_PARAMS = -32602  # JSON-RPC's


class Engine(Protocol):
    """Finds pages while it is entered."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exception: object) -> None: ...

    async def search(self, query: str) -> Sequence[Result]:
        """Return what is found for `query`, the best first. Raises `SearchError`."""
        ...


class _Arguments(Struct, frozen=True):
    query: str


_read_arguments = msgspec.json.Decoder(_Arguments).decode


class WebSearchRunner(ToolRunner):
    """Owns `engine`. A search of medium size has `results` results."""

    types: ClassVar[frozenset[str]] = frozenset(
        {
            "web_search",
            "web_search_2025_08_26",
            "web_search_preview",
            "web_search_preview_2025_03_11",
        }
    )

    def __init__(self, engine: Engine, *, results: int) -> None:
        self._engine = engine
        self._results = results

    async def __aenter__(self) -> Self:
        await self._engine.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._engine.__aexit__(*exception)

    def insists(self, tool: Tool, /) -> bool:
        return False

    def check(self, tool: Tool, tenant: str, /) -> None:
        scope_of(tool)

    async def functions(
        self, tool: Tool, tenant: str, known: Sequence[ToolFunction] | None, /
    ) -> Sequence[ToolFunction]:
        description, place = _DESCRIPTION, scope_of(tool).place
        if place:  # engines cannot be told, but the model knows when it matters
            description += f" The user is in {place}: name the place where it matters."
        return (
            ToolFunction(
                name="web_search",
                description=description,
                parameters=_PARAMETERS,
                read_only=True,
            ),
        )

    def announce(self, invocation: Invocation, /) -> WebSearchCall | None:
        """Return the search that is about to be made; None if there is nothing to search for."""
        query = _query(invocation.arguments)
        return None if query is None else search_call([query], (), (), status="in_progress")

    async def run(self, invocation: Invocation, /) -> ToolOutcome:
        query = _query(invocation.arguments)
        if query is None:
            problem = 'write the arguments as {"query": "what to search for"}'
            error = {"type": "mcp_protocol_error", "code": _INVALID_PARAMS, "message": problem}
            return ToolOutcome(output=_told(problem), error=error)
        scope = scope_of(invocation.tool)
        try:
            found = await self._engine.search(scope.query(query))
        except SearchError as error:
            _log.warning("a search with SearXNG failed: %s", error.message)
            return _failure(query, error.status)
        results = self._chosen(found, scope)
        return ToolOutcome(
            output=report(query, results, snippet=scope.snippet),
            item=search_call([query], (), (), status="completed"),
            sources=tuple(Source(url=result.url, title=result.title) for result in results),
        )

    def _chosen(self, found: Sequence[Result], scope: Scope) -> list[Result]:
        """Return the first of `found` that are wanted, each page once."""
        pages: dict[str, Result] = {}
        for result in found:
            if scope.covers(result.url):
                pages.setdefault(result.url, result)
        return list(pages.values())[: max(1, round(self._results * scope.share))]


def _query(arguments: str) -> str | None:
    """Return what a model wants to search for, or None if it does not say."""
    try:
        return _read_arguments(arguments).query.strip() or None
    except (msgspec.MsgspecError, RecursionError):
        return None


def _failure(query: str, status: int) -> ToolOutcome:
    problem = "the web cannot be searched now"
    return ToolOutcome(
        output=_told(problem),
        error={"type": "http_error", "code": status, "message": problem},
        item=search_call([query], (), (), status="failed"),
    )


def _told(problem: str) -> str:
    return f"The search failed: {problem}"
