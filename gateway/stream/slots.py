"""Output items while they are being written: the bracket around each, and the parts inside."""

from __future__ import annotations

from typing import Literal, TypeVar

from msgspec import UNSET

from gateway.stream.deltas import CustomCall, Key, Text, Thought, ToolCall
from gateway.stream.parts import (
    OutputTextPart,
    Part,
    Place,
    ReasoningTextPart,
    RefusalPart,
    SummaryPart,
)
from gateway.types.content import Annotation, Logprob
from gateway.types.events import (
    CustomToolCallInputDelta,
    CustomToolCallInputDone,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    KnownEvent,
    OutputItemAdded,
    OutputItemDone,
)
from gateway.types.items import CustomToolCall, FunctionCall, Message, Reasoning

__all__ = ["CallSlot", "CustomCallSlot", "MessageSlot", "ReasoningSlot", "Status"]

Status = Literal["in_progress", "completed", "incomplete"]
P = TypeVar("P", bound=Part)


class _Parts:
    """The parts of one item, in order: a part of another kind or number ends the one before it."""

    def __init__(self, item_id: str, index: int) -> None:
        self._item_id = item_id
        self._index = index
        self._written: list[Part] = []
        self.last: Part | None = None
        self.number = 0

    def turn_to(self, kind: type[P], events: list[KnownEvent], number: int | None = None) -> P:
        """Return the open part, which is of `kind`, and has that `number` if one is given; what
        that takes goes to `events`.
        """
        if isinstance(self.last, kind) and number in (None, self.number):
            return self.last
        events += self.closing()
        earlier = sum(part.field == kind.field for part in self._written)
        part = kind(Place(self._item_id, self._index, earlier))
        self._written.append(part)
        self.last, self.number = part, number or 0
        events.append(part.opening())
        return part

    def closing(self) -> list[KnownEvent]:
        return self.last.closing() if self.last else []

    def of(self, *kinds: type[P]) -> list[P]:
        return [part for part in self._written if isinstance(part, kinds)]


class MessageSlot:
    """An assistant message: text and refusal parts, as many as the provider alternates between."""

    def __init__(self, key: Key, index: int, item_id: str, phase: str | None = None) -> None:
        self.key = key
        self.index = index
        self._id = item_id
        self._phase = phase or UNSET
        self._parts = _Parts(item_id, index)

    def opening(self) -> list[KnownEvent]:
        return [OutputItemAdded(output_index=self.index, item=self.item("in_progress"))]

    def say_more(self, delta: Text) -> KnownEvent | None:
        """Return the event of more text, if it goes on where the message stands."""
        part = self._parts.last
        if type(part) is OutputTextPart and delta.part == self._parts.number:
            return part.write(delta.text)
        return None

    def say(self, delta: Text, logprobs: tuple[Logprob, ...] = ()) -> list[KnownEvent]:
        events: list[KnownEvent] = []
        part = self._parts.turn_to(OutputTextPart, events, delta.part)
        events.append(part.write(delta.text, logprobs))
        return events

    def refuse(self, text: str) -> list[KnownEvent]:
        events: list[KnownEvent] = []
        part = self._parts.turn_to(RefusalPart, events)
        events.append(part.write(text))
        return events

    def annotate(self, annotation: Annotation) -> list[KnownEvent]:
        events: list[KnownEvent] = []
        part = self._parts.turn_to(OutputTextPart, events)
        events.append(part.annotate(annotation))
        return events

    def closing(self, status: Status) -> list[KnownEvent]:
        done = OutputItemDone(output_index=self.index, item=self.item(status))
        return [*self._parts.closing(), done]

    def item(self, status: Status) -> Message:
        parts = self._parts.of(OutputTextPart, RefusalPart)
        content = tuple(part.content for part in parts)
        return Message(
            id=self._id, role="assistant", content=content, status=status, phase=self._phase
        )


class ReasoningSlot:
    """What the model thinks: raw text, summaries, and the carrier that the provider wants back."""

    def __init__(self, key: Key, index: int, item_id: str) -> None:
        self.key = key
        self.index = index
        self._id = item_id
        self._parts = _Parts(item_id, index)
        self._carrier: str | None = None

    def opening(self) -> list[KnownEvent]:
        return [OutputItemAdded(output_index=self.index, item=self.item("in_progress"))]

    def think(self, delta: Thought) -> list[KnownEvent]:
        events: list[KnownEvent] = []
        kind = SummaryPart if delta.kind == "summary" else ReasoningTextPart
        events.append(self._parts.turn_to(kind, events, delta.part).write(delta.text))
        return events

    def carry(self, carrier: str) -> None:
        self._carrier = carrier

    def closing(self, status: Status) -> list[KnownEvent]:
        done = OutputItemDone(output_index=self.index, item=self.item(status))
        return [*self._parts.closing(), done]

    def item(self, status: Status) -> Reasoning:
        return Reasoning(
            id=self._id,
            summary=tuple(part.content for part in self._parts.of(SummaryPart)),
            content=tuple(part.content for part in self._parts.of(ReasoningTextPart)) or UNSET,
            encrypted_content=self._carrier or UNSET,
            status=status,
        )


class CallSlot:
    """A call of a function, whose arguments come in pieces."""

    def __init__(self, index: int, item_id: str, call_id: str, begun: ToolCall) -> None:
        self.index = index
        self._id = item_id
        self._call_id = call_id
        self._name = begun.name or ""
        self._namespace = begun.namespace or UNSET
        self._pieces: list[str] = []

    def opening(self) -> list[KnownEvent]:
        return [OutputItemAdded(output_index=self.index, item=self.item("in_progress"))]

    def write(self, arguments: str) -> list[KnownEvent]:
        if not arguments:
            return []
        self._pieces.append(arguments)
        delta = FunctionCallArgumentsDelta(
            item_id=self._id, output_index=self.index, delta=arguments
        )
        return [delta]

    def closing(self, status: Status) -> list[KnownEvent]:
        # Clients parse the arguments as JSON, and many providers say nothing when there are none.
        # A call that was cut short keeps what it has: nobody should run it.
        events = self.write("{}") if status == "completed" and not self._pieces else []
        item = self.item(status)
        done = FunctionCallArgumentsDone(
            item_id=self._id, output_index=self.index, arguments=item.arguments
        )
        return [*events, done, OutputItemDone(output_index=self.index, item=item)]

    def item(self, status: Status) -> FunctionCall:
        return FunctionCall(
            id=self._id,
            call_id=self._call_id,
            name=self._name,
            namespace=self._namespace,
            arguments="".join(self._pieces),
            status=status,
        )


class CustomCallSlot:
    """A call of a custom tool, whose input is free text in pieces."""

    def __init__(self, index: int, item_id: str, call_id: str, begun: CustomCall) -> None:
        self.index = index
        self._id = item_id
        self._call_id = call_id
        self._name = begun.name or ""
        self._namespace = begun.namespace or UNSET
        self._pieces: list[str] = []

    def opening(self) -> list[KnownEvent]:
        return [OutputItemAdded(output_index=self.index, item=self.item("in_progress"))]

    def write(self, text: str) -> list[KnownEvent]:
        if not text:
            return []
        self._pieces.append(text)
        delta = CustomToolCallInputDelta(item_id=self._id, output_index=self.index, delta=text)
        return [delta]

    def closing(self, status: Status) -> list[KnownEvent]:
        item = self.item(status)
        done = CustomToolCallInputDone(item_id=self._id, output_index=self.index, input=item.input)
        return [done, OutputItemDone(output_index=self.index, item=item)]

    def item(self, status: Status) -> CustomToolCall:
        return CustomToolCall(
            id=self._id,
            call_id=self._call_id,
            name=self._name,
            namespace=self._namespace,
            input="".join(self._pieces),
            status=status,
        )
