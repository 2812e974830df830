"""MCP calls: what was called of an MCP server, as calls of functions and their outputs.

The model knows the tools of a server as functions, so that is how it is told of them afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec

from gateway.core.lowering.names import flat_name
from gateway.plugin.pairing import CallIds
from gateway.types.items import (
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    McpApprovalRequest,
    McpApprovalResponse,
    McpCall,
    McpListTools,
    Reasoning,
)
from gateway.types.wire import JsonObject, encode

__all__ = ["MCP_ITEMS", "lower_mcp_calls", "object_of", "output_of"]

MCP_ITEMS = ("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call")
"""The types of the items that tell of MCP servers. They are lowered together or not at all."""

_ALLOWED_ID = "[a-zA-Z0-9_-]{1,64}"
_PENDING = "The user has not approved this call."
_DENIED = "The user denied this call."
_INCOMPLETE = "The call was not completed."


def lower_mcp_calls(items: Sequence[InputItem]) -> tuple[InputItem, ...]:
    """Return `items` with those of `MCP_ITEMS` as calls of functions, each with its output.

    Calls that follow on each other were made at once and stay together: what came of them stands
    behind the last one. A call that had to be approved stands where the model asked for it, and the
    list of a server's tools, which is no part of what was said, nowhere.
    """
    outputs = _outputs(items)
    ids = _ids_beside(items)
    lowered: list[InputItem] = []
    waiting: list[InputItem] = []
    for position, item in enumerate(items):
        match item:
            case McpListTools() | McpApprovalResponse():
                pass
            case McpCall() | McpApprovalRequest() if position in outputs:
                call_id = ids.take(_call_id(item, position))
                lowered.append(_function_call(item, call_id))
                waiting.append(FunctionCallOutput(call_id=call_id, output=outputs[position]))
            case McpCall():  # told elsewhere; the model knew what came of it when it went on
                lowered += waiting
                waiting.clear()
            case _ if item.type.endswith("_call"):
                lowered.append(item)
            case _:
                lowered += (*waiting, item)
                waiting.clear()
    return (*lowered, *waiting)


def output_of(call: McpCall) -> str:
    """Return what the model reads of what came of `call`."""
    if call.error or call.status == "failed":
        said = _words(call.error) or call.output
        return f"The call failed: {said}" if said else "The call failed."
    if call.output is None and call.status != "completed":
        return _INCOMPLETE
    return call.output or ""


def _outputs(items: Sequence[InputItem]) -> dict[int, str]:
    """Return what came of each call, by the position at which it is to stand.

    That is the position of the request for approval, if there was one. Calls that their vendor gets
    back in a carrier are left out.
    """
    outputs: dict[int, str] = {}
    requests: dict[object, int] = {}
    carried = _carried(items)
    for position, item in enumerate(items):
        match item:
            case McpApprovalRequest():
                outputs[position] = _PENDING
                requests[item.id] = position
            case McpApprovalResponse(approval_request_id=asked) if asked in requests:
                if outputs[requests[asked]] == _PENDING:  # the first answer counts
                    outputs[requests[asked]] = _decision(item)
            case McpCall(approval_request_id=str(asked)) if asked in requests:
                outputs[requests.pop(asked)] = output_of(item)
            case McpCall() if position not in carried:
                outputs[position] = output_of(item)
            case _:
                pass
    return outputs


def _carried(items: Sequence[InputItem]) -> set[int]:
    """Return the positions of the calls that a vendor made itself and gets back as they were: the
    carrier in the next reasoning item names them.
    """
    found: set[int] = set()
    carrier = ""
    for position in reversed(range(len(items))):
        match items[position]:
            case Reasoning(encrypted_content=opened):
                carrier = opened or ""
            case McpCall(id=str(named)) if named and f'"{named}"' in carrier:
                found.add(position)
            case _:
                pass
    return found


def _decision(response: McpApprovalResponse) -> str:
    if response.approve:
        return _INCOMPLETE
    return f"{_DENIED} {response.reason}" if response.reason else _DENIED


def _ids_beside(items: Sequence[InputItem]) -> CallIds:
    """Return what gives ids that no other call among `items` has."""
    ids = CallIds(_ALLOWED_ID)
    for item in items:
        if call_id := getattr(item, "call_id", None):
            ids.take(call_id)
    return ids


def _call_id(item: McpCall | McpApprovalRequest, position: int) -> str:
    named = item.id or str(position)
    return f"call_{named.partition('_')[2] or named}"


def _function_call(item: McpCall | McpApprovalRequest, call_id: str) -> FunctionCall:
    name = flat_name(item.name, f"mcp__{item.server_label}")
    return FunctionCall(call_id=call_id, name=name, arguments=object_of(item.arguments))


def object_of(text: str) -> str:
    """Return `text` if it is a JSON object, else one that holds it: models write anything, and an
    upstream that parses it must not refuse all that was said because of that.
    """
    if text.strip() in ("", "null"):
        return "{}"
    try:
        msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return encode({"arguments": text}).decode()
    return text


def _words(error: str | JsonObject | None) -> str:
    """Return what `error` says, in whichever of its shapes."""
    match error:
        case None:
            return ""
        case str(text) | {"content": str(text)} | {"message": str(text)}:
            return text
        case {"content": content}:
            return "\n".join(_texts(content)) or encode(content).decode()
        case _:
            return encode(error).decode()


def _texts(content: Any) -> Iterator[str]:
    for part in cast("list[Any]", content) if isinstance(content, list) else ():
        match part:
            case {"text": str(text)}:
                yield text
            case _:
                pass
