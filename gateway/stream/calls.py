"""The function calls of one response, from their first delta to their end."""

from __future__ import annotations

from gateway.errors import UpstreamProtocolError
from gateway.stream.deltas import Key, ToolCall
from gateway.stream.slots import CallSlot

__all__ = ["Calls"]


class Calls:
    """Knows which calls are open, which have ended, and which still wait for their name."""

    def __init__(self) -> None:
        self._open: dict[Key, CallSlot] = {}
        self._ended: set[Key] = set()
        self._nameless: dict[Key, ToolCall] = {}

    @property
    def nameless(self) -> bool:
        """Whether some call has begun and was never named."""
        return bool(self._nameless)

    def get(self, key: Key) -> CallSlot | None:
        """Return the open call `key`."""
        return self._open.get(key)

    def begin(self, delta: ToolCall) -> ToolCall | None:
        """Return the call that `delta` begins, with all that was said of it, once it has a name.

        `output_item.added` has to say the name. Raises `UpstreamProtocolError` for more arguments
        of a call that has ended.
        """
        if delta.key in self._ended:
            if delta.arguments:
                raise UpstreamProtocolError(
                    f"the provider sent more arguments for tool call {delta.key!r} after its end"
                )
            return None
        call = _joined(self._nameless.pop(delta.key, None), delta)
        if call.name:
            return call
        self._nameless[delta.key] = call
        return None

    def open(self, key: Key, slot: CallSlot) -> None:
        self._open[key] = slot

    def end(self) -> list[CallSlot]:
        """Return the calls that were open; they have ended now."""
        slots = list(self._open.values())
        self._ended.update(self._open)
        self._open.clear()
        return slots


def _joined(earlier: ToolCall | None, later: ToolCall) -> ToolCall:
    if earlier is None:
        return later
    return ToolCall(
        key=later.key,
        call_id=earlier.call_id or later.call_id,
        name=later.name,
        arguments=earlier.arguments + later.arguments,
    )
