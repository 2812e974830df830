"""Items of tools that are at work while the model, or another tool, goes on."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import UpstreamProtocolError
from gateway.stream.deltas import Key
from gateway.stream.identities import with_ids_of
from gateway.stream.steps import Steps, outcome
from gateway.stream.whole_items import announced, content_events, with_parts, with_status
from gateway.types.events import KnownEvent, OutputItemAdded, OutputItemDone
from gateway.types.items import ImageGenerationCall, McpCall, McpListTools, OutputItem

__all__ = ["HostedSlot", "Hosting"]


class HostedSlot:
    """The item of one tool; `item` is how it stood when it was added, and then how it is done."""

    def __init__(self, index: int, item: OutputItem) -> None:
        self.index = index
        self.item = with_status(item, "in_progress")
        self._steps = Steps(item, index)

    def opening(self) -> list[KnownEvent]:
        added = OutputItemAdded(output_index=self.index, item=announced(self.item))
        return [added, *self._steps.begin(), *self._steps.write_rest(self.item)]

    def write(self, text: str, *, complete: bool) -> list[KnownEvent]:
        """Return the events of more arguments or code, `complete` after the last of it.

        Raises `UpstreamProtocolError` for more than what was complete.
        """
        if text and self._steps.is_complete:
            raise UpstreamProtocolError(f"more arguments of {self.item.type} came after their end")
        events = self._steps.write(text)
        return events + self._complete() if complete else events

    def closing(self, item: OutputItem) -> list[KnownEvent]:
        """Return the last events; `item` tells how it ended, but for its ids."""
        item = with_status(with_parts(item), outcome(item))
        events = self._steps.write_rest(item)
        if outcome(item) != "incomplete":
            events += self._complete()
        self.item = with_ids_of(self.item, self._steps.as_written(item))
        return [
            *events,
            *self._steps.end(self.item),
            *content_events(self.item, self.index),
            OutputItemDone(output_index=self.index, item=self.item),
        ]

    def abandoning(self) -> list[KnownEvent]:
        """Return the last events of a tool that was still at work when the response ended."""
        match self.item:
            case McpListTools():
                reason = "the response ended before the server had answered"
                return self.closing(replace(self.item, error=reason))
            case ImageGenerationCall():  # the only status that it has for this
                return self.closing(replace(self.item, status="failed"))
            case _:
                return self.closing(with_status(self.item, "incomplete"))

    def _complete(self) -> list[KnownEvent]:
        # Clients parse the arguments as JSON, and many models say nothing when there are none.
        if isinstance(self.item, McpCall) and not self._steps.written:
            return [*self._steps.write("{}"), *self._steps.complete()]
        return self._steps.complete()


class Hosting:
    """The tools of one response that are at work, by the key of their deltas.

    All methods raise `UpstreamProtocolError` if the tool is not where it should be.
    """

    def __init__(self) -> None:
        self._open: dict[Key, HostedSlot] = {}

    def begin(self, key: Key, slot: HostedSlot) -> None:
        if key in self._open:
            raise UpstreamProtocolError(f"the tool {key!r} was begun twice")
        self._open[key] = slot

    def get(self, key: Key) -> HostedSlot:
        if key not in self._open:
            raise UpstreamProtocolError(f"the tool {key!r} is not at work")
        return self._open[key]

    def end(self, key: Key) -> HostedSlot:
        slot = self.get(key)
        del self._open[key]
        return slot

    def end_all(self) -> list[HostedSlot]:
        slots = list(self._open.values())
        self._open.clear()
        return slots
