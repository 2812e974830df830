"""Reads the events of a Responses stream, or a whole response, as deltas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from gateway.core.reading.written import Written
from gateway.errors import UpstreamError
from gateway.stream.deltas import Delta, Finished, FinishReason, Key, Used
from gateway.stream.frames import Frame
from gateway.stream.whole_items import item_id
from gateway.types.content import Annotation, Logprob
from gateway.types.items import OutputItem
from gateway.types.response import IncompleteDetails, Usage
from gateway.types.wire import JsonObject, answer_decoder, read_answer

__all__ = ["Reader"]

_SILENT = (b"", b"[DONE]")
_ENDS = (
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
)
_REASONS: Mapping[str | None, FinishReason] = {
    "content_filter": "content_filter",
    "max_messages": "max_messages",
}


class _Answer(Struct, frozen=True, kw_only=True, dict=True):
    """What is read of a response object."""

    status: str = ""
    output: tuple[OutputItem, ...] = ()
    usage: Usage | None = None
    error: JsonObject | None = None
    incomplete_details: IncompleteDetails | None = None


class _Event(Struct, frozen=True, kw_only=True, dict=True):
    """What is read of any event; what it does not have, or in another shape, is absent."""

    type: str = ""
    output_index: int | None = None
    item_id: str = ""
    content_index: int = 0
    summary_index: int = 0
    delta: str = ""
    logprobs: tuple[Logprob, ...] = ()
    annotation: Annotation | None = None
    item: OutputItem | None = None
    response: _Answer = _Answer()
    error: JsonObject | None = None
    code: str | int | None = None
    message: str | None = None
    param: str | None = None

    @property
    def key(self) -> Key:
        """What names the output item; some servers change its id from event to event."""
        if self.output_index is not None:
            return self.output_index
        return self.item_id or (item_id(self.item) if self.item is not None else None) or 0

    @property
    def report(self) -> JsonObject:
        """What an `error` event says, whether it is flat or nested."""
        return self.error or {"code": self.code, "message": self.message, "param": self.param}


def _begin(item: Written, event: _Event) -> Iterable[Delta]:
    return item.begin(event.item) if event.item is not None else ()


def _cite(item: Written, event: _Event) -> Iterable[Delta]:
    return item.cite(event.content_index, event.annotation) if event.annotation is not None else ()


_STEPS: Mapping[str, Callable[[Written, _Event], Iterable[Delta]]] = {
    "response.output_item.added": _begin,
    "response.output_text.delta": lambda item, event: item.say(
        event.content_index, event.delta, event.logprobs
    ),
    "response.output_text.annotation.added": _cite,
    "response.refusal.delta": lambda item, event: item.refuse(event.content_index, event.delta),
    "response.reasoning_text.delta": lambda item, event: item.think(
        event.content_index, event.delta, "raw"
    ),
    "response.reasoning_summary_text.delta": lambda item, event: item.think(
        event.summary_index, event.delta, "summary"
    ),
    "response.function_call_arguments.delta": lambda item, event: item.write(event.delta),
    "response.custom_tool_call_input.delta": lambda item, event: item.write_input(event.delta),
    "response.mcp_call_arguments.delta": lambda item, event: item.run(event.delta),
    "response.code_interpreter_call_code.delta": lambda item, event: item.run(event.delta),
}
_decode_event = answer_decoder(_Event)
_decode_answer = answer_decoder(_Answer)


class Reader:
    """Reads one answer; `report` makes an error of what the upstream says went wrong.

    What is in an item, but was not told in pieces, is told when it is done; and what is in the
    response alone, at the end.
    """

    def __init__(self, report: Callable[[Mapping[str, Any]], UpstreamError]) -> None:
        self._report = report
        self._items: dict[Key, Written] = {}
        self._done: set[Key] = set()

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means. Raises the `UpstreamError` that it tells of."""
        if frame.data.strip() in _SILENT:
            return
        event = read_answer(_decode_event, frame.data)
        kind = event.type or frame.event
        match kind:
            case None:
                yield from self._end(read_answer(_decode_answer, frame.data))
            case "error":
                raise self._report(event.report)
            case "response.output_item.done" if event.item is not None:
                yield from self._complete(event.key, event.item)
            case _ if kind in _ENDS:
                yield from self._end(event.response, kind.removeprefix("response."))
            case _ if step := _STEPS.get(kind):
                yield from step(self._item(event.key), event)
            case _:
                pass

    def _item(self, key: Key) -> Written:
        if key not in self._items:
            self._items[key] = Written(key)
        return self._items[key]

    def _complete(self, key: Key, item: OutputItem) -> Iterator[Delta]:
        self._done |= {key, item_id(item) or key}
        yield from self._item(key).end(item)

    def _end(self, answer: _Answer, told: str = "") -> Iterator[Delta]:
        status = answer.status if f"response.{answer.status}" in _ENDS else told
        for position, item in enumerate(answer.output):
            if not {position, item_id(item)} & self._done:
                yield from self._complete(position, item)
        if answer.usage is not None:
            yield Used(answer.usage)
        if status in ("failed", "cancelled") or (answer.error and not status):
            raise self._report(answer.error or {"message": f"the response is {status}"})
        if status == "incomplete":
            details = answer.incomplete_details or IncompleteDetails()
            yield Finished(_REASONS.get(details.reason, "max_output_tokens"))
        elif status == "completed" or (answer.output and not answer.status):
            yield Finished()
