"""Steps of tools that Google runs itself, as the items that clients know for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from gateway.plugin.hosted import code_call, page_call, search_call
from gateway.types.items import FileSearchCall, OutputItem

__all__ = ["items_of"]

Json = dict[str, Any]


def items_of(steps: Sequence[Json], include: Collection[str]) -> Iterator[OutputItem]:
    """Yield an item for each call among `steps` that Responses has one for.

    `include` names what of it the client wants to know besides.
    """
    results = {step["call_id"]: step for step in steps if step.get("call_id")}
    for step in steps:
        given: Json = step.get("arguments") or {}
        result = results.get(step.get("id"))
        found, status = _found(result or {}), _status(result)
        match step.get("type"):
            case "google_search_call":
                urls = [page["url"] for page in found if page.get("url")]
                yield search_call(given.get("queries") or (), urls, include, status=status)
            case "url_context_call":
                failed = {page.get("url") for page in found if _has_failed(page)}
                for url in given.get("urls") or ():
                    yield page_call(url, status="failed" if url in failed else status)
            case "code_execution_call":
                logs = "".join(one.get("text") or "" for one in found)
                wanted = include if logs else ()
                yield code_call(given.get("code") or "", logs, wanted, status=status)
            case "file_search_call":
                yield FileSearchCall(queries=tuple(given.get("queries") or ()), status=status)
            case _:
                pass


def _status(result: Json | None) -> str:
    if result is None:
        return "incomplete"
    return "failed" if result.get("is_error") else "completed"


def _found(result: Json) -> Sequence[Json]:
    """Return the pages that were found or read, or what code has written."""
    told = result.get("result") or ()
    return [{"text": told}] if isinstance(told, str) else told


def _has_failed(page: Json) -> bool:
    return page.get("status") not in (None, "success")
