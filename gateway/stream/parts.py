"""Parts of an item while they are being written: each knows its events and what it becomes."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from gateway.types.content import (
    Annotation,
    Logprob,
    OutputText,
    ReasoningText,
    Refusal,
    SummaryText,
)
from gateway.types.events import (
    ContentPartAdded,
    ContentPartDone,
    KnownEvent,
    OutputTextAnnotationAdded,
    OutputTextDelta,
    OutputTextDone,
    ReasoningSummaryPartAdded,
    ReasoningSummaryPartDone,
    ReasoningSummaryTextDelta,
    ReasoningSummaryTextDone,
    ReasoningTextDelta,
    ReasoningTextDone,
    RefusalDelta,
    RefusalDone,
)

__all__ = ["OutputTextPart", "Part", "Place", "ReasoningTextPart", "RefusalPart", "SummaryPart"]


class Place(Struct, frozen=True):
    """Where a part stands: the item, the item's index, and the part's own index in its `field`."""

    item_id: str
    output_index: int
    index: int


class OutputTextPart:
    """Visible text, with its citations and log probabilities."""

    field: ClassVar[str] = "content"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._texts: list[str] = []
        self._annotations: list[Annotation] = []
        self._logprobs: list[Logprob] = []

    @property
    def content(self) -> OutputText:
        return OutputText(
            text="".join(self._texts),
            annotations=tuple(self._annotations),
            logprobs=tuple(self._logprobs),
        )

    def opening(self) -> KnownEvent:
        return _added(self._place, OutputText(text=""))

    def write(self, text: str, logprobs: tuple[Logprob, ...] = ()) -> KnownEvent:
        self._texts.append(text)
        self._logprobs += logprobs
        place = self._place
        return OutputTextDelta(
            item_id=place.item_id,
            output_index=place.output_index,
            content_index=place.index,
            delta=text,
            logprobs=logprobs,
        )

    def annotate(self, annotation: Annotation) -> KnownEvent:
        self._annotations.append(annotation)
        return OutputTextAnnotationAdded(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            content_index=self._place.index,
            annotation_index=len(self._annotations) - 1,
            annotation=annotation,
        )

    def closing(self) -> list[KnownEvent]:
        content = self.content
        done = OutputTextDone(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            content_index=self._place.index,
            text=content.text,
            logprobs=content.logprobs or (),
        )
        return [done, _done(self._place, content)]


class RefusalPart:
    """What the model says instead of an answer."""

    field: ClassVar[str] = "content"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._texts: list[str] = []

    @property
    def content(self) -> Refusal:
        return Refusal(refusal="".join(self._texts))

    def opening(self) -> KnownEvent:
        return _added(self._place, Refusal(refusal=""))

    def write(self, text: str, /) -> KnownEvent:
        self._texts.append(text)
        return RefusalDelta(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            content_index=self._place.index,
            delta=text,
        )

    def closing(self) -> list[KnownEvent]:
        content = self.content
        done = RefusalDone(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            content_index=self._place.index,
            refusal=content.refusal,
        )
        return [done, _done(self._place, content)]


class ReasoningTextPart:
    """The raw chain of thought."""

    field: ClassVar[str] = "content"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._texts: list[str] = []

    @property
    def content(self) -> ReasoningText:
        return ReasoningText(text="".join(self._texts))

    def opening(self) -> KnownEvent:
        return _added(self._place, ReasoningText(text=""))

    def write(self, text: str, /) -> KnownEvent:
        self._texts.append(text)
        return ReasoningTextDelta(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            content_index=self._place.index,
            delta=text,
        )

    def closing(self) -> list[KnownEvent]:
        content = self.content
        done = ReasoningTextDone(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            content_index=self._place.index,
            text=content.text,
        )
        return [done, _done(self._place, content)]


class SummaryPart:
    """The provider's summary of the reasoning."""

    field: ClassVar[str] = "summary"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._texts: list[str] = []

    @property
    def content(self) -> SummaryText:
        return SummaryText(text="".join(self._texts))

    def opening(self) -> KnownEvent:
        return ReasoningSummaryPartAdded(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            summary_index=self._place.index,
            part=SummaryText(text=""),
        )

    def write(self, text: str, /) -> KnownEvent:
        self._texts.append(text)
        return ReasoningSummaryTextDelta(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            summary_index=self._place.index,
            delta=text,
        )

    def closing(self) -> list[KnownEvent]:
        content = self.content
        text = ReasoningSummaryTextDone(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            summary_index=self._place.index,
            text=content.text,
        )
        part = ReasoningSummaryPartDone(
            item_id=self._place.item_id,
            output_index=self._place.output_index,
            summary_index=self._place.index,
            part=content,
        )
        return [text, part]


Part = OutputTextPart | RefusalPart | ReasoningTextPart | SummaryPart
"""Open from `opening` to `closing`; `field` is where the item keeps parts of its kind."""


def _added(place: Place, part: OutputText | Refusal | ReasoningText) -> KnownEvent:
    return ContentPartAdded(
        item_id=place.item_id,
        output_index=place.output_index,
        content_index=place.index,
        part=part,
    )


def _done(place: Place, part: OutputText | Refusal | ReasoningText) -> KnownEvent:
    return ContentPartDone(
        item_id=place.item_id,
        output_index=place.output_index,
        content_index=place.index,
        part=part,
    )
