"""The rules for the events of one output item, from `output_item.added` to `output_item.done`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from msgspec import Struct

from gateway.stream.step_lifecycle import step_complaints

__all__ = ["ADDED", "DONE", "ItemEvents", "item_complaints"]

_Event = Mapping[str, Any]

ADDED = "response.output_item.added"
DONE = "response.output_item.done"

_GOING_ON = {"in_progress", "searching", "generating", "interpreting", "calling"}
_BEFORE_ADDED = {"response.compaction.compacting"}
_EMPTY_WHEN_ADDED = {
    "message": "content",
    "function_call": "arguments",
    "custom_tool_call": "input",
    "mcp_call": "arguments",
    "mcp_list_tools": "tools",
    "program": "code",
}
_WRITTEN_FIELDS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
    "mcp_call": ("response.mcp_call_arguments", "arguments"),
    "code_interpreter_call": ("response.code_interpreter_call_code", "code"),
}
_PART_TEXTS = {
    "output_text": ("response.output_text", "text"),
    "refusal": ("response.refusal", "refusal"),
    "reasoning_text": ("response.reasoning_text", "text"),
    "summary_text": ("response.reasoning_summary_text", "text"),
}
_ANNOTATION = "response.output_text.annotation.added"


class ItemEvents(Struct, frozen=True):
    """The events of the item at `index`, in stream order."""

    index: int
    events: tuple[_Event, ...]

    @property
    def added(self) -> _Event | None:
        return self._first(ADDED)

    @property
    def done(self) -> _Event | None:
        return self._first(DONE)

    def _first(self, kind: str) -> _Event | None:
        return next((event for event in self.events if event["type"] == kind), None)


def item_complaints(item: ItemEvents, *, resumed: bool) -> Iterator[str]:
    """Say what is wrong with one item.

    Of an item that a resumed stream finds half written, only its end can be judged.
    """
    complaints = _after_done(item)
    if item.added is not None or not resumed:
        complaints = (*complaints, *_whole_item(item))
    for complaint in complaints:
        yield f"item {item.index}: {complaint}"


def _after_done(item: ItemEvents) -> Iterator[str]:
    types = [event["type"] for event in item.events]
    if DONE in types:
        for kind in types[types.index(DONE) + 1 :]:
            yield f"{kind} after {DONE}"


def _whole_item(item: ItemEvents) -> Iterator[str]:
    yield from _before_added(item)
    yield from _item_ids(item)
    yield from _added_form(item)
    yield from _identity(item)
    yield from _done_form(item)
    yield from _written_field(item)
    if item.done is not None:
        yield from step_complaints(item.events, item.done["item"])
    yield from _parts(item, "content")
    yield from _parts(item, "summary")


def _before_added(item: ItemEvents) -> Iterator[str]:
    for event in item.events:
        if event["type"] == ADDED:
            return
        if event["type"] not in _BEFORE_ADDED:
            yield f"{event['type']} before {ADDED}"


def _item_ids(item: ItemEvents) -> Iterator[str]:
    """Check that all events call the item by one id."""
    ids = {event["item_id"] for event in item.events if "item_id" in event}
    ids |= {event["item"]["id"] for event in item.events if event.get("item", {}).get("id")}
    if len(ids) > 1:
        yield f"its events name several ids: {sorted(ids)}"


def _added_form(item: ItemEvents) -> Iterator[str]:
    """Check that an item begins in progress, and without what its events are about to write."""
    added: _Event = item.added["item"] if item.added else {}
    ran_already = str(added.get("type")).endswith("_output")
    if added.get("status") not in {*_GOING_ON, None} and not ran_already:
        yield f"it is {added['status']} when it is added"
    field = _EMPTY_WHEN_ADDED.get(added.get("type", ""))
    if field is not None and added.get(field):
        yield f"it is added with {field} already there"


def _identity(item: ItemEvents) -> Iterator[str]:
    """Check that the item that is done is the one that was added."""
    if item.added is None or item.done is None:
        return
    added, done = item.added["item"], item.done["item"]
    for field in ("type", "call_id", "name"):
        if added.get(field) != done.get(field):
            yield f"its {field} was {added.get(field)!r} when added, {done.get(field)!r} when done"


def _done_form(item: ItemEvents) -> Iterator[str]:
    """Check that a done item is over; what a program calls goes on until the program is done."""
    done: _Event = item.done["item"] if item.done else {}
    caller: _Event = done.get("caller") or {}
    by_program = caller.get("type") == "program"
    if done.get("status") in _GOING_ON and not by_program:
        yield f"it is still {done['status']} when done"


def _written_field(item: ItemEvents) -> Iterator[str]:
    """Check that arguments, input and code are the same in deltas, done event and done item."""
    if item.added is None or item.added["item"]["type"] not in _WRITTEN_FIELDS:
        return
    stem, field = _WRITTEN_FIELDS[item.added["item"]["type"]]
    yield from _written(item.events, stem, field)
    if item.done is not None and f"{stem}.done" not in {event["type"] for event in item.events}:
        yield f"it is done without {stem}.done"
    texts = _texts(item.events, stem, field)
    if item.done is not None:
        texts["item"] = item.done["item"].get(field)
    yield from _different(field, texts)


def _parts(item: ItemEvents, field: str) -> Iterator[str]:
    """Check the parts of `field`, which is content or summary, in order and one after the other."""
    name = f"{field}_index"
    owned = [event for event in item.events if name in event]
    groups = [(index, tuple(events)) for index, events in groupby(owned, lambda e: e[name])]
    indexes = [index for index, _ in groups]
    if indexes != list(range(len(groups))):
        yield f"its {field} parts came in the order {indexes}, expected 0, 1, 2 and so on"
    for index, events in groups:
        for complaint in _part(events, closed=item.done is not None):
            yield f"{field} part {index}: {complaint}"
    yield from _final_parts(item, field, [events[-1].get("part") for _, events in groups])


def _final_parts(item: ItemEvents, field: str, parts: list[Any]) -> Iterator[str]:
    if item.done is not None and item.done["item"]["type"] in {"message", "reasoning"}:
        final: list[Any] = item.done["item"].get(field) or []
        if [_text(part) for part in final] != [_text(part) for part in parts]:
            yield f"its {field} when done is not what its {field} parts were"


def _part(events: tuple[_Event, ...], *, closed: bool) -> Iterator[str]:
    """Check one part: added, then deltas, then their done event, then the part's own."""
    first, last = events[0], events[-1]
    if not first["type"].endswith("_part.added"):
        yield f"{first['type']} before the part was added"
        return
    if first["part"]["type"] not in _PART_TEXTS:
        return
    stem, field = _PART_TEXTS[first["part"]["type"]]
    strange = [e["type"] for e in events[1:-1] if not e["type"].startswith(f"{stem}.")]
    if strange:
        yield f"{strange} inside a part of type {first['part']['type']}"
    if not closed:
        return
    if not last["type"].endswith("_part.done"):
        yield f"{last['type']} at the end, expected the part's done event"
        return
    yield from _written(events, stem, field)
    if events[-2]["type"] != f"{stem}.done":
        yield f"the part is done without {stem}.done"
    yield from _different(field, {**_texts(events, stem, field), "part": _text(last["part"])})
    yield from _annotations(events)


def _written(events: tuple[_Event, ...], stem: str, field: str) -> Iterator[str]:
    """Check that the deltas of a text end with one done event."""
    types = [event["type"] for event in events]
    ends = [place for place, kind in enumerate(types) if kind == f"{stem}.done"]
    if len(ends) > 1:
        yield f"{stem}.done came {len(ends)} times"
    if ends and f"{stem}.delta" in types[ends[0] :]:
        yield f"{stem}.delta after {stem}.done"


def _texts(events: tuple[_Event, ...], stem: str, field: str) -> dict[str, Any]:
    """Return the text as the deltas say it, if there are any, and as the done event says it."""
    deltas = [event["delta"] for event in events if event["type"] == f"{stem}.delta"]
    done = [event[field] for event in events if event["type"] == f"{stem}.done"]
    return ({"deltas": "".join(deltas)} if deltas else {}) | ({"done": done[0]} if done else {})


def _different(field: str, texts: Mapping[str, Any]) -> Iterator[str]:
    if len(set(texts.values())) > 1:
        yield f"its {field} differs between {' and '.join(texts)}"


def _annotations(events: tuple[_Event, ...]) -> Iterator[str]:
    """Check that the annotations are counted, and that the part ends with all of them."""
    added = [event for event in events if event["type"] == _ANNOTATION]
    indexes = [event["annotation_index"] for event in added]
    if indexes != list(range(len(added))):
        yield f"annotations came in the order {indexes}, expected 0, 1, 2 and so on"
    if [event["annotation"] for event in added] != list(events[-1]["part"].get("annotations", ())):
        yield "the part's annotations are not those that were added"


def _text(part: Any) -> Any:
    return part and part.get("text", part.get("refusal"))
