"""Steps of tools that Google runs itself, as the items that clients know for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.types.items import CodeInterpreterCall, FileSearchCall, OutputItem, WebSearchCall
from gateway_gemini.interactions.wire import Arguments, Found, HostedStep

__all__ = ["items_of"]

_NONE = HostedStep()


def items_of(told: Sequence[dict[str, Any]], include: Collection[str]) -> Iterator[OutputItem]:
    """Yield an item for each call among the steps `told` that Responses has one for.

    `include` names what of it the client wants to know besides. Raises `ValidationError`.
    """
    steps = msgspec.convert([step for step in told if _tool(step) in _READ], list[HostedStep])
    results = {step.call_id: step for step in steps if step.call_id}
    for step in steps:
        if step.type.endswith("_call"):
            read = _READ[step.type.removesuffix("_call")]
            yield from read(
                step.arguments or Arguments(), results.get(step.id or "", _NONE), include
            )


def _tool(step: dict[str, Any]) -> str:
    return str(step.get("type")).removesuffix("_call").removesuffix("_result")


def _search(
    arguments: Arguments, result: HostedStep, include: Collection[str]
) -> Iterator[OutputItem]:
    queries = [*(arguments.queries or ())]
    action: dict[str, Any] = {"type": "search", "query": "".join(queries[:1]), "queries": queries}
    if "web_search_call.action.sources" in include:
        urls = [found.url for found in _found(result) if found.url]
        action["sources"] = [{"type": "url", "url": url} for url in urls]
    yield WebSearchCall(status=_status(result), action=action)


def _pages(
    arguments: Arguments, result: HostedStep, _include: Collection[str]
) -> Iterator[OutputItem]:
    failed = {page.url for page in _found(result) if page.status not in (None, "success")}
    for url in arguments.urls or ():
        status = "failed" if url in failed else _status(result)
        yield WebSearchCall(status=status, action={"type": "open_page", "url": url})


def _code(
    arguments: Arguments, result: HostedStep, include: Collection[str]
) -> Iterator[OutputItem]:
    logs = "".join(found.text or "" for found in _found(result))
    is_told = "code_interpreter_call.outputs" in include and logs
    yield CodeInterpreterCall(
        container_id="",
        code=arguments.code or "",
        status=_status(result),
        outputs=({"type": "logs", "logs": logs},) if is_told else None,
    )


def _files(
    arguments: Arguments, result: HostedStep, _include: Collection[str]
) -> Iterator[OutputItem]:
    yield FileSearchCall(queries=arguments.queries or (), status=_status(result))


def _status(result: HostedStep) -> str:
    if result is _NONE:
        return "incomplete"
    return "failed" if result.is_error else "completed"


def _found(result: HostedStep) -> Sequence[Found]:
    return (Found(text=result.result),) if isinstance(result.result, str) else result.result or ()


_Read = Callable[[Arguments, HostedStep, Collection[str]], Iterator[OutputItem]]
_READ: Mapping[str, _Read] = {
    "google_search": _search,
    "url_context": _pages,
    "code_execution": _code,
    "file_search": _files,
}
