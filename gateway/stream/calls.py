"""The calls of one response, from their first delta to their end."""

from __future__ import annotations

from gateway.errors import UpstreamProtocolError
from gateway.stream.deltas import CustomCall, Key, ToolCall
from gateway.stream.slots import CallSlot, CustomCallSlot

__all__ = ["Begun", "Calls", "Slot", "written"]

Begun = ToolCall | CustomCall
"""All that has been said of a call when it is opened."""

Slot = CallSlot | CustomCallSlot
Place = tuple[type[Begun], Key]


class Calls:
    """Knows which calls are open, which have ended, and which still wait for their name."""

    def __init__(self) -> None:
        self._open: dict[Place, Slot] = {}
        self._ended: set[Place] = set()
        self._nameless: dict[Place, Begun] = {}

    @property
    def nameless(self) -> bool:
        """Whether some call has begun and was never named."""
        return bool(self._nameless)

    def get(self, delta: Begun) -> Slot | None:
        """Return the open call that `delta` goes on with."""
        return self._open.get((type(delta), delta.key))

    def begin(self, delta: Begun) -> Begun | None:
        """Return the call that `delta` begins, with all that was said of it, once it has a name.

        `output_item.added` has to say the name. Raises `UpstreamProtocolError` for more arguments
        of a call that has ended.
        """
        place = (type(delta), delta.key)
        if place in self._ended:
            if written(delta):
                raise UpstreamProtocolError(
                    f"the provider sent more arguments for tool call {delta.key!r} after its end"
                )
            return None
        call = _joined(self._nameless.pop(place, None), delta)
        if call.name:
            return call
        self._nameless[place] = call
        return None

    def open(self, begun: Begun, slot: Slot) -> None:
        self._open[type(begun), begun.key] = slot

    def end(self) -> list[Slot]:
        """Return the calls that were open; they have ended now."""
        slots = list(self._open.values())
        self._ended.update(self._open)
        self._open.clear()
        return slots


def written(delta: Begun) -> str:
    """Return the piece of arguments or input in `delta`."""
    return delta.arguments if isinstance(delta, ToolCall) else delta.input


def _joined(earlier: Begun | None, later: Begun) -> Begun:
    if earlier is None:
        return later
    return type(later)(
        later.key,
        earlier.call_id or later.call_id,
        later.name,
        written(earlier) + written(later),
        earlier.namespace or later.namespace,
    )
