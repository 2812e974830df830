"""Calls of a history and their outputs: which belong together, and under which id."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway.errors import InvalidRequestError
from gateway.types.items import (
    ComputerCall,
    ComputerCallOutput,
    CustomToolCall,
    CustomToolCallOutput,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
)

__all__ = ["CallIds", "Output", "pair_outputs", "read_arguments"]

Output = FunctionCallOutput | CustomToolCallOutput

_CALLS = (FunctionCall, CustomToolCall, ComputerCall)
_OUTPUTS = (FunctionCallOutput, CustomToolCallOutput, ComputerCallOutput)


def pair_outputs(items: Sequence[InputItem]) -> Mapping[int, Any]:
    """Return the output of each call by the call's position: an item of the type of the call.

    Calls that share an id are answered in their order. Raises `InvalidRequestError`, in OpenAI's
    words because clients look for them, if an output has no call or a call no output.
    """
    waiting: dict[tuple[str, str], list[int]] = {}
    outputs: dict[int, Any] = {}
    for position, item in enumerate(items):
        if isinstance(item, _CALLS):
            waiting.setdefault((item.type, item.call_id), []).append(position)
        elif isinstance(item, _OUTPUTS):
            name = item.call_id or "(none)"
            if not (positions := waiting.get((item.type.removesuffix("_output"), name))):
                raise InvalidRequestError(
                    f"No tool call found for function call output with call_id {name}.",
                    param="input",
                )
            outputs[positions.pop(0)] = item
    if missing := [call_id for (_, call_id), positions in waiting.items() if positions]:
        raise InvalidRequestError(
            f"No tool output found for function call {missing[0]}.", param="input"
        )
    return outputs


def read_arguments(call: FunctionCall, position: int) -> str:
    """Return the JSON text of the arguments of `call`, which stands at `position`.

    Servers parse it, and answer one that is cut or merged with a failure of their own: so it is an
    `InvalidRequestError` here.
    """
    if call.arguments.strip() in ("", "null"):
        return "{}"
    try:
        msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"the arguments of the call {call.call_id!r} are no JSON: send them as the model wrote"
            " them, or leave out the call and its output",
            param=f"input[{position}].arguments",
        ) from error
    return call.arguments


class CallIds:
    """The ids of a history's calls as the server sees them.

    An id that does not match `pattern`, or that an earlier call has, is replaced by another one,
    the same each time. An empty pattern allows every id.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern or ".+")
        self._seen: dict[str, int] = {}

    def take(self, call_id: str) -> str:
        """Return the id for the next call whose id is `call_id`."""
        again = self._seen[call_id] = self._seen.get(call_id, -1) + 1
        if not again and self._pattern.fullmatch(call_id):
            return call_id
        return hashlib.sha256(f"{call_id}#{again}".encode()).hexdigest()[:9]
