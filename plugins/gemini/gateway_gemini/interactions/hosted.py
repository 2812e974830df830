"""Steps of tools that Google runs itself, as the items that clients know for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from gateway.plugin.hosted import code_call, page_call, search_call
from gateway.types.items import FileSearchCall, OutputItem
from gateway_gemini.interactions.wire import Arguments, Found, HostedStep

__all__ = ["hosted_items"]

Json = dict[str, Any]

_TOOLS = ("google_search_", "url_context_", "code_execution_", "file_search_")


def hosted_items(told: Sequence[Json], include: Collection[str]) -> Iterator[OutputItem]:
    """Yield an item for each call among the steps `told` that Responses has one for.

    `include` names what of it the client wants to know besides. Raises `msgspec.ValidationError`.
    """
    known = [step for step in told if str(step.get("type")).startswith(_TOOLS)]
    steps = msgspec.convert(known, list[HostedStep])
    results = {step.call_id: step for step in steps if step.call_id}
    for step in steps:
        yield from _items(step, results.get(step.id or ""), include)


def _items(
    step: HostedStep, result: HostedStep | None, include: Collection[str]
) -> Iterator[OutputItem]:
    given, found, status = step.arguments or Arguments(), _found(result), _status(result)
    match step.type:
        case "google_search_call":
            urls = [page.url for page in found if page.url]
            yield search_call(given.queries or (), urls, include, status=status)
        case "url_context_call":
            failed = {page.url for page in found if page.status not in (None, "success")}
            for url in given.urls or ():
                yield page_call(url, status="failed" if url in failed else status)
        case "code_execution_call":
            logs = "".join(one.text or "" for one in found)
            yield code_call(given.code or "", logs, include if logs else (), status=status)
        case "file_search_call":
            yield FileSearchCall(queries=given.queries or (), status=status)
        case _:
            pass


def _status(result: HostedStep | None) -> str:
    if result is None:
        return "incomplete"
    return "failed" if result.is_error else "completed"


def _found(result: HostedStep | None) -> Sequence[Found]:
    told = result.result if result else None
    return (Found(text=told),) if isinstance(told, str) else told or ()
