"""The Responses API as one dialect among those that are translated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from gateway.core.lowering.mcp_calls import MCP_ITEMS
from gateway.core.reading.reader import Reader
from gateway.errors import UpstreamError, UpstreamRejectedError
from gateway.plugin.bodies import refusing_depth
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import (
    Call,
    Dialect,
    Failure,
    NativeCall,
    NativeDialect,
    Translator,
    UpstreamRequest,
    native,
)
from gateway.plugin.reports import told_status
from gateway.plugin.support import ACCEPT, EMULATE, SupportTable, Verdict, reject
from gateway.types.items import (
    CodeInterpreterCall,
    ComputerCall,
    CustomToolCall,
    FileSearchCall,
    FunctionCall,
    ImageGenerationCall,
    InputItem,
    LocalShellCall,
    LocalShellCallOutput,
    McpApprovalRequest,
    McpCall,
    McpListTools,
    Message,
    Program,
    ProgramOutput,
    Reasoning,
    WebSearchCall,
)
from gateway.types.open import Unknown
from gateway.types.request import Request
from gateway.types.tools import McpTool
from gateway.types.wire import encode

__all__ = ["Reading", "perform"]

T = TypeVar("T")

_CARRIERS = "reasoning.encrypted_content"
_WRITTEN = (Message, Reasoning, FunctionCall, CustomToolCall)
"""Items that are read as deltas: their ids and states are the gateway's."""
_NAMED = (
    CodeInterpreterCall,
    ComputerCall,
    FileSearchCall,
    ImageGenerationCall,
    LocalShellCall,
    LocalShellCallOutput,
    McpApprovalRequest,
    McpCall,
    McpListTools,
    Program,
    ProgramOutput,
    WebSearchCall,
    Unknown,
)
"""Items that the API takes under their ids only."""


class Reading:
    """Speaks to an upstream of Responses as to any other: without state, and in deltas.

    With `carried`, the upstream is asked for what it wants to have back of its reasoning. A model
    that does not reason may refuse that: see `perform`.
    """

    name: ClassVar[str] = "responses"
    support: ClassVar[SupportTable] = SupportTable(
        parameters={},
        details={},
        items={
            **dict.fromkeys(MCP_ITEMS, EMULATE),
            "item_reference": reject("there is no stored item to put in its place"),
        },
        tools={},
        includes={},
        other_item=ACCEPT,
        other_tool=ACCEPT,
        other_include=ACCEPT,
    )

    def __init__(self, native_dialect: NativeDialect, *, carried: bool = True) -> None:
        self._native = native_dialect
        self._carried = carried

    def check(self, request: Request, deployment: Deployment, /) -> Iterable[Verdict]:
        """Say that calls of MCP servers are told as those of functions, as long as the upstream
        calls none itself; it judges everything else.
        """
        verdicts = self.support.judge(request)
        if any(isinstance(tool, McpTool) for tool in request.tools or ()):
            return (verdict for verdict in verdicts if verdict.action != "emulate")
        return verdicts

    @refusing_depth()
    def encode(self, call: Call, /) -> UpstreamRequest:
        """Write `call` as a request that leaves nothing behind at the upstream.

        Raises `InvalidRequestError` if it is nested too deeply.
        """
        request = call.request
        include = request.include or ()
        if self._carried and _CARRIERS not in include:
            include = (*include, _CARRIERS)
        stateless = replace(
            request,
            model=call.model,
            input=_told(request.input),
            include=include or None,
            stream=True,
            store=False,
            background=None,
            background_options=None,
            previous_response_id=None,
            conversation=None,
            context_management=None,
        )
        return self._native.encode(
            NativeCall(operation="create", deployment=call.deployment, body=encode(stateless))
        )

    def translator(self, call: Call, /) -> Translator:
        return Reader(self._reported)

    def error(self, failure: Failure, /) -> UpstreamError:
        return self._native.error(failure)

    def _reported(self, members: Mapping[str, Any]) -> UpstreamError:
        """Say which of our errors an answer of status 200 tells of."""
        body = encode({"error": members})
        return self._native.error(Failure(status=told_status(members), body=body))


async def perform(dialect: Dialect | NativeDialect, step: Callable[[Dialect], Awaitable[T]]) -> T:
    """Return what `step` does with `dialect`, or with a reading of a native one.

    OpenAI refuses to include the encrypted reasoning of a model that has none, and only the refusal
    says which model that is: then `step` is done again without.
    """
    if not native(dialect):
        return await step(dialect)
    try:
        return await step(Reading(dialect))
    except UpstreamRejectedError as error:
        if error.param != "include":
            raise
    return await step(Reading(dialect, carried=False))


def _told(items: str | tuple[InputItem, ...] | None) -> str | tuple[InputItem, ...] | None:
    return tuple(_tellable(items)) if isinstance(items, tuple) else items


def _tellable(items: Iterable[InputItem]) -> Iterator[InputItem]:
    """Yield `items` as an upstream takes them that has kept none: it would look for their ids, and
    reads reasoning only if it is encrypted.
    """
    for item in items:
        if isinstance(item, Reasoning) and not item.encrypted_content:
            continue
        if isinstance(item, _WRITTEN):
            yield replace(item, id=UNSET, status=UNSET)
        elif isinstance(item, _NAMED):
            yield item
        else:
            yield replace(item, id=UNSET)
