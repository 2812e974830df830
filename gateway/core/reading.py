"""A native upstream read as one that is translated, where the gateway itself runs the tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from gateway.errors import UpstreamError
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import (
    Call,
    Failure,
    NativeCall,
    NativeDialect,
    Translator,
    UpstreamRequest,
)
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import told_status
from gateway.plugin.support import ACCEPT, EMULATE, SupportTable, Verdict
from gateway.stream import deltas as d
from gateway.stream.frames import Frame
from gateway.types.request import Request
from gateway.types.wire import encode

__all__ = ["Reading"]

_INCLUDE = "reasoning.encrypted_content"


class Reading:
    """Speaks Responses to an upstream like any other dialect: stateless, and in deltas."""

    name: ClassVar[str] = "responses"
    support: ClassVar[SupportTable] = SupportTable(
        parameters={},
        details={},
        items=dict.fromkeys(
            ("mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"), EMULATE
        ),
        tools={},
        includes={},
        other_item=ACCEPT,
        other_tool=ACCEPT,
        other_include=ACCEPT,
    )

    def __init__(self, native: NativeDialect) -> None:
        self._native = native

    def check(self, request: Request, deployment: Deployment, /) -> Iterable[Verdict]:
        items = request.input if not isinstance(request.input, str) else ()
        for position, item in enumerate(items or ()):
            if item.type in self.support.items:
                yield Verdict(action="emulate", param=f"input[{position}].type")

    def encode(self, call: Call, /) -> UpstreamRequest:
        request = replace(
            call.request,
            model=call.model,
            stream=True,
            store=False,
            background=None,
            previous_response_id=None,
            conversation=None,
            include=tuple(dict.fromkeys((*(call.request.include or ()), _INCLUDE))),
        )
        deployment = call.deployment
        return self._native.encode(
            NativeCall(operation="create", deployment=deployment, body=encode(request))
        )

    def translator(self, call: Call, /) -> Translator:
        return _Reader()

    def error(self, failure: Failure, /) -> UpstreamError:
        return self._native.error(failure)


class _Reader:
    """Reads the events of one answer."""

    def feed(self, frame: Frame, /) -> Iterator[d.Delta]:
        event: dict[str, Any] = msgspec.json.decode(frame.data)
        key = str(event.get("item_id") or event.get("item", {}).get("id"))
        match event.get("type"):
            case "response.output_text.delta":
                yield d.Text(event["delta"], key)
            case "response.output_item.added" if event["item"]["type"] == "function_call":
                item = event["item"]
                yield d.ToolCall(key, item["call_id"], item["name"])
            case "response.function_call_arguments.delta":
                yield d.ToolCall(key, arguments=event["delta"])
            case "response.completed":
                yield d.Finished()
            case "error":
                raise read_failure(Failure(status=told_status(event), body=frame.data))
            case _:
                pass
