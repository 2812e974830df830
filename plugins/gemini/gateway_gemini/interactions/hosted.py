"""Steps of tools that Google runs itself, as the items that clients know for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from gateway.types.items import CodeInterpreterCall, FileSearchCall, OutputItem, WebSearchCall

__all__ = ["items_of"]

Json = dict[str, Any]


def items_of(steps: Sequence[Json], include: Collection[str]) -> Iterator[OutputItem]:
    """Yield an item for each call among `steps` that Responses has one for.

    `include` names what of it the client wants to know besides.
    """
    results = {step.get("call_id"): step for step in steps if "call_id" in step}
    for step in steps:
        if read := _READ.get(step["type"]):
            yield from read(step.get("arguments") or {}, results.get(step.get("id"), {}), include)


def _search(arguments: Json, result: Json, include: Collection[str]) -> Iterator[OutputItem]:
    queries: list[str] = arguments.get("queries") or []
    action: Json = {"type": "search", "query": "".join(queries[:1]), "queries": queries}
    if "web_search_call.action.sources" in include:
        urls = [found["url"] for found in result.get("result") or () if found.get("url")]
        action["sources"] = [{"type": "url", "url": url} for url in urls]
    yield WebSearchCall(status=_status(result), action=action)


def _pages(arguments: Json, result: Json, _include: Collection[str]) -> Iterator[OutputItem]:
    told = {page.get("url"): page.get("status") for page in result.get("result") or ()}
    for url in arguments.get("urls") or told:
        done = _status(result) == "completed" and told.get(url, "success") == "success"
        action = {"type": "open_page", "url": url}
        yield WebSearchCall(status="completed" if done else "failed", action=action)


def _code(arguments: Json, result: Json, include: Collection[str]) -> Iterator[OutputItem]:
    code, status = arguments.get("code", ""), _status(result)
    call = CodeInterpreterCall(container_id="", code=code, status=status)
    if "code_interpreter_call.outputs" in include and (logs := _text(result.get("result"))):
        outputs: tuple[Json, ...] = ({"type": "logs", "logs": logs},)
        call = CodeInterpreterCall(container_id="", code=code, status=status, outputs=outputs)
    yield call


def _files(arguments: Json, result: Json, _include: Collection[str]) -> Iterator[OutputItem]:
    queries = tuple(arguments.get("queries") or ())
    yield FileSearchCall(queries=queries, status=_status(result))


def _status(result: Json) -> str:
    if not result:
        return "incomplete"
    return "failed" if result.get("is_error") else "completed"


def _text(result: str | Sequence[Json] | None) -> str:
    if result is None or isinstance(result, str):
        return result or ""
    return "".join(content.get("text", "") for content in result)


_Read = Callable[[Json, Json, Collection[str]], Iterator[OutputItem]]
_READ: Mapping[str, _Read] = {
    "google_search_call": _search,
    "url_context_call": _pages,
    "code_execution_call": _code,
    "file_search_call": _files,
}
