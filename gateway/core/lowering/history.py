"""History: earlier calls of tools and their outputs, as calls of functions and theirs."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import count
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.core.lowering.names import flat_name
from gateway.core.lowering.offers import Offer, unfold
from gateway.types.items import (
    AdditionalTools,
    ApplyPatchCall,
    ApplyPatchCallOutput,
    CustomToolCall,
    CustomToolCallOutput,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    LocalShellCall,
    LocalShellCallOutput,
    ShellCall,
    ShellCallOutput,
    ToolSearchCall,
    ToolSearchOutput,
)
from gateway.types.wire import encode

__all__ = ["lower_items"]


def lower_items(
    items: Iterable[InputItem], types: Container[str], *, namespaces: bool
) -> tuple[InputItem, ...]:
    """Return `items` with the calls and outputs of `types` as those of functions.

    `namespaces` says whether the names of calls lose their namespace, too.
    """
    items = tuple(items)
    history = _History(items, types, namespaces=namespaces)
    return tuple(history.lower(item) for item in items if not _is_gone(item, types))


def _is_gone(item: InputItem, types: Container[str]) -> bool:
    return isinstance(item, AdditionalTools) and item.type in types


class _History:
    """Lowers one item after another; searches of a server have no call id and are given one."""

    def __init__(
        self, items: Iterable[InputItem], types: Container[str], *, namespaces: bool
    ) -> None:
        self._types = types
        self._namespaces = namespaces
        self._searches = (f"call_search_{number}" for number in count())
        self._findings = (f"call_search_{number}" for number in count())
        self._local_calls: dict[str | None, str] = {}
        for call in items:
            if isinstance(call, LocalShellCall):
                self._local_calls |= {call.id or None: call.call_id, call.call_id: call.call_id}

    def lower(self, item: InputItem) -> InputItem:
        match item:
            case FunctionCall(namespace=str(space)) | CustomToolCall(namespace=str(space)) if (
                self._namespaces
            ):
                named = flat_name(item.name, space)
                item = msgspec.structs.replace(item, name=named, namespace=UNSET)
            case FunctionCallOutput(name=str(name), namespace=str(space)) if self._namespaces:
                named = flat_name(name, space)
                item = msgspec.structs.replace(item, name=named, namespace=UNSET)
            case _:
                pass
        if item.type not in self._types:
            return item
        return self._call(item) or self._output(item) or item

    def _call(self, item: InputItem) -> FunctionCall | None:
        """Return the call of a function that `item` stands for, None if it is no call."""
        match item:
            case CustomToolCall(call_id=call_id, name=name):
                return _called(call_id, name, {"input": item.input})
            case ShellCall(call_id=call_id, action=action):
                return _called(call_id, "shell", _present(msgspec.to_builtins(action)))
            case LocalShellCall(call_id=call_id, action=action):
                arguments = {name: action[name] for name in action if name != "type"}
                return _called(call_id, "local_shell", _present(arguments))
            case ApplyPatchCall(call_id=call_id, operation=operation):
                return _called(call_id, "apply_patch", _present(msgspec.to_builtins(operation)))
            case ToolSearchCall():
                call_id = item.call_id or next(self._searches)
                return _called(call_id, "tool_search", item.arguments)
            case _:
                return None

    def _output(self, item: InputItem) -> FunctionCallOutput | None:
        """Return the output of a function that `item` stands for, None if it is no output."""
        match item:
            case CustomToolCallOutput(call_id=call_id, output=output):
                pass
            case ShellCallOutput(call_id=call_id):
                output = encode(item.output).decode()
            case LocalShellCallOutput(output=output):
                # OpenAI's shape names the call by `id`, which some clients read as their own.
                call_id = self._local_calls.get(item.id or "") or item.call_id or item.id
            case ApplyPatchCallOutput(call_id=call_id, status=status):
                output = encode(_present({"status": status, "output": item.output})).decode()
            case ToolSearchOutput():
                call_id = item.call_id or next(self._findings)
                output = self._findings_of(item)
            case _:
                return None
        return FunctionCallOutput(call_id=call_id, output=output)

    def _findings_of(self, item: ToolSearchOutput) -> str:
        names = [_told(offer) for offer in unfold(item.tools, "tools", self._types)]
        if not names:
            return "No tools were found."
        return f"These tools can be called now: {', '.join(names)}."


def _called(call_id: str, name: str, arguments: Any) -> FunctionCall:
    return FunctionCall(call_id=call_id, name=name, arguments=encode(arguments).decode())


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, UNSET, {})}


def _told(offer: Offer) -> str:
    return offer.name or offer.tool.type
