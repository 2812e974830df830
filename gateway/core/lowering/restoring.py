"""Restoring: calls of functions, turned back into calls of the tools that these stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from gateway.core.lowering.arguments import GATHERED, read_item
from gateway.core.lowering.custom_input import CustomInput
from gateway.core.lowering.names import Origin
from gateway.errors import UpstreamProtocolError
from gateway.plugin.dialect import Translator
from gateway.stream.deltas import (
    Annotation,
    CustomCall,
    Delta,
    Finished,
    Item,
    Key,
    Refusal,
    Text,
    Thought,
    ToolCall,
)
from gateway.stream.frames import Frame

__all__ = ["Restoring"]


class Restoring:
    """A translator around that of a dialect.

    Calls of custom tools and of members of namespaces are restored piece by piece. Those of the
    other tools are whole items, so they are held until their end: that is the next thing which is
    no call. The calls after a held one wait behind it, so that all keep their order.
    """

    def __init__(self, translator: Translator, origins: Mapping[str, Origin]) -> None:
        self._translator = translator
        self._origins = origins
        self._open: dict[Key, CustomInput | None] = {}
        self._held: dict[Key, list[ToolCall]] = {}
        self._nameless: dict[Key, ToolCall] = {}
        self._ended: set[Key] = set()
        self._readers: Mapping[type, Callable[[Any], Iterable[Delta]]] = {
            ToolCall: self._read_call,
            CustomCall: self._read_custom_call,
            Finished: self._finish,
        }

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means.

        Raises `UpstreamProtocolError` for a call that its tool cannot understand, or more of a
        call that has ended.
        """
        for delta in self._translator.feed(frame):
            reader = self._readers.get(type(delta))
            if reader is not None:
                yield from reader(delta)
                continue
            if (self._open or self._held) and _ends_calls(delta):
                yield from self._end_calls()
            yield delta

    def _read_call(self, delta: ToolCall) -> Iterable[Delta]:
        key = delta.key
        if key in self._open:
            return self._go_on(delta, self._open[key])
        if key in self._held:
            self._held[key].append(delta)
            return ()
        if key not in self._ended:
            return self._begin(delta)
        if delta.arguments:
            raise UpstreamProtocolError(
                f"the provider sent more arguments for tool call {key!r} after its end"
            )
        return ()

    def _begin(self, delta: ToolCall) -> Iterable[Delta]:
        call = (
            _joined([self._nameless.pop(delta.key), delta])
            if delta.key in self._nameless
            else delta
        )
        if not call.name:
            self._nameless[call.key] = call
            return ()
        if self._held or self._tool_of(call) in GATHERED:
            self._held[call.key] = [call]
            return ()
        return self._open_call(call)

    def _open_call(self, call: ToolCall) -> Iterator[Delta]:
        origin = self._origins.get(call.name or "")
        is_custom = origin is not None and origin.type == "custom"
        self._open[call.key] = custom = CustomInput() if is_custom else None
        if origin is None:
            yield call
        elif custom is None:
            yield msgspec.structs.replace(call, name=origin.name, namespace=origin.namespace)
        else:
            text = custom.feed(call.arguments)
            yield CustomCall(call.key, call.call_id, origin.name, text, origin.namespace)

    def _go_on(self, delta: ToolCall, custom: CustomInput | None) -> Iterable[Delta]:
        if custom is None:
            return (delta,)
        text = custom.feed(delta.arguments)
        return (CustomCall(delta.key, input=text),) if text else ()

    def _read_custom_call(self, delta: CustomCall) -> Iterable[Delta]:
        """Restore the name of a custom tool that the dialect knows itself."""
        origin = self._origins.get(delta.name or "")
        if origin is not None:
            delta = msgspec.structs.replace(delta, name=origin.name, namespace=origin.namespace)
        return (delta,)

    def _finish(self, delta: Finished) -> Iterator[Delta]:
        if delta.reason == "stop":
            yield from self._end_calls()
            yield from self._nameless.values()
        else:
            yield from self._cut_calls()
        yield delta

    def _end_calls(self) -> Iterator[Delta]:
        yield from self._close_open()
        for deltas in self._held.values():
            call = _joined(deltas)
            tool = self._tool_of(call)
            if tool in GATHERED:
                yield Item(read_item(tool, call.call_id or "", call.arguments))
            else:
                yield from self._open_call(call)
        yield from self._close_open()
        self._ended.update(self._held)
        self._held.clear()

    def _close_open(self) -> Iterator[Delta]:
        for key, custom in self._open.items():
            if custom is not None and (rest := custom.close()):
                yield CustomCall(key, input=rest)
        self._ended.update(self._open)
        self._open.clear()

    def _cut_calls(self) -> Iterator[Delta]:
        """Say what there is of calls that are cut; half an item would be a lie."""
        for deltas in self._held.values():
            call = _joined(deltas)
            if self._tool_of(call) not in GATHERED:
                yield from self._open_call(call)

    def _tool_of(self, call: ToolCall) -> str:
        origin = self._origins.get(call.name or "")
        return origin.type if origin is not None else "function"


def _ends_calls(delta: Delta) -> bool:
    match delta:
        case Text(text=said) | Refusal(text=said):
            return bool(said)
        case Thought():
            return bool(delta.text or delta.carrier)
        case Annotation():
            return True
        case _:
            return False


def _joined(deltas: list[ToolCall]) -> ToolCall:
    """Return all that was said of one call."""
    return ToolCall(
        deltas[0].key,
        next((delta.call_id for delta in deltas if delta.call_id), None),
        next((delta.name for delta in deltas if delta.name), None),
        "".join(delta.arguments for delta in deltas),
    )
