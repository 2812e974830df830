"""Making the calls of one answer, some at once, each within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from msgspec.structs import replace

from gateway.config import ToolSettings
from gateway.core.tool_loop.interception import Call
from gateway.core.tool_loop.offering import SEARCH_SOURCES
from gateway.errors import GatewayError
from gateway.plugin.tools import ToolOutcome, ToolRunner
from gateway.stream.whole_items import changed
from gateway.types.items import McpCall, OutputItem, WebSearchCall
from gateway.types.wire import JsonObject

__all__ = ["make_calls", "told"]

_CUT = "\n[The rest was cut off: the output is too long.]"


async def make_calls(calls: Sequence[Call], tenant: str, limits: ToolSettings) -> list[ToolOutcome]:
    """Return what `calls` came to, in their order. Cancelling cancels them all."""
    places = asyncio.Semaphore(limits.parallel_calls)

    async def make(call: Call) -> ToolOutcome:
        async with places:
            return await _outcome(call, tenant, limits)

    async with asyncio.TaskGroup() as tasks:
        under_way = [tasks.create_task(make(call)) for call in calls]
    return [task.result() for task in under_way]


def told(call: Call, outcome: ToolOutcome, include: Collection[str] = ()) -> OutputItem | None:
    """Return the item that tells the client what `call` came to, if one does, with what `include`
    names.
    """
    begun = call.item
    if not isinstance(begun, McpCall):
        if outcome.item is not None:
            return changed(_with_sources(outcome.item, outcome, include), id=call.key)
        return begun and changed(begun, status="failed" if outcome.error else "completed")
    return replace(
        begun,
        arguments=call.arguments,
        status="failed" if outcome.error else "completed",
        output=None if outcome.error else outcome.output,
        error=outcome.error,
    )


def _with_sources(item: OutputItem, outcome: ToolOutcome, include: Collection[str]) -> OutputItem:
    if not isinstance(item, WebSearchCall) or SEARCH_SOURCES not in include:
        return item
    sources = [{"type": "url", "url": source.url} for source in outcome.sources]
    return replace(item, action={**(item.action or {}), "sources": sources})


async def _outcome(call: Call, tenant: str, limits: ToolSettings) -> ToolOutcome:
    runner: ToolRunner = call.offer.claim.runner
    invocation = call.offer.invocation(call.arguments, tenant)
    try:
        async with asyncio.timeout(limits.call_seconds):
            outcome = await runner.run(invocation)
    except TimeoutError:
        return _failed(504, f"the tool took longer than {limits.call_seconds:g} seconds")
    except GatewayError as error:
        return _failed(error.status, error.message)
    return replace(outcome, output=_cut(outcome.output, limits.result_bytes))


def _failed(code: int, message: str) -> ToolOutcome:
    error: JsonObject = {"type": "http_error", "code": code, "message": message}
    return ToolOutcome(output=f"The call failed: {message}", error=error)


def _cut(output: str, limit: int) -> str:
    """Return `output` with at most `limit` bytes of UTF-8."""
    if len(output) <= limit // 4 or len(output.encode()) <= limit:
        return output
    return output.encode()[:limit].decode(errors="ignore") + _CUT
