"""The rules of the event stream, as one check that tests and the debug log share.

A rule is a function from the stream, or from the part of it that one output item is, to
complaints. A stream may hold events that no rule knows: they only have to be numbered and to stay
inside their item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, cast

import msgspec

from gateway.stream.item_lifecycle import ADDED, ItemEvents, item_complaints

__all__ = ["violations"]

_Event = Mapping[str, Any]

_STATUS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
_USAGE_DETAILS = {
    "input_tokens_details": {"cached_tokens", "cache_write_tokens"},
    "output_tokens_details": {"reasoning_tokens"},
}
_LIFECYCLE = {"response.created", "response.queued", "response.in_progress", *_STATUS}
# OpenAI seals these anew for the done event and again for the final response.
_VENDOR_STATE = {"encrypted_content": "", "fingerprint": ""}


def violations(
    events: Iterable[Any], *, resumed: bool = False, numbered: bool = True, native: bool = False
) -> list[str]:
    """Say what is wrong with a stream of typed or decoded events; nothing if it keeps every rule.

    `resumed` means that it begins in the middle, as after `starting_after`. `numbered=False`
    accepts a stream that has no sequence numbers at all. `native` accepts what upstreams get away
    with: a final response with an empty output, and usage from before `cache_write_tokens`.
    """
    stream = [_plain(event) for event in events]
    if not stream:
        return ["the stream is empty"]
    found = [
        *_ending(stream),
        *_identity(stream),
        *_terminal(stream),
        *_usage(stream, native=native),
    ]
    if numbered:
        found += _numbering(stream, resumed=resumed)
    if not resumed:
        found += [*_beginning(stream), *_item_order(stream)]
    items = _items(stream)
    found += _unfinished(stream, items)
    for item in items:
        found += item_complaints(item, resumed=resumed)
    if not resumed:
        found += _output(stream, items, native=native)
    return found


def _plain(event: Any) -> _Event:
    return cast("_Event", event) if isinstance(event, dict) else msgspec.to_builtins(event)


def _beginning(stream: list[_Event]) -> Iterator[str]:
    types = [event["type"] for event in stream]
    if types[0] != "response.created":
        yield f"the stream begins with {types[0]} and not with response.created"
    if types.count("response.created") > 1:
        yield "response.created came more than once"
    if "response.in_progress" not in types[1:3]:
        yield "response.created is not followed by response.in_progress"


def _ending(stream: list[_Event]) -> Iterator[str]:
    places = [place for place, event in enumerate(stream) if event["type"] in _STATUS]
    if places != [len(stream) - 1]:
        yield f"terminal events at {places}, expected one, at {len(stream) - 1}"


def _numbering(stream: list[_Event], *, resumed: bool) -> Iterator[str]:
    first = stream[0].get("sequence_number") if resumed else 0
    if not isinstance(first, int):
        yield "the stream has no sequence numbers"
        return
    for expected, event in enumerate(stream, first):
        if event.get("sequence_number") != expected:
            yield (
                f"{event['type']} has sequence number {event.get('sequence_number')}, "
                f"expected {expected}"
            )


def _identity(stream: list[_Event]) -> Iterator[str]:
    ids = {event["response"]["id"] for event in stream if event["type"] in _LIFECYCLE}
    if len(ids) > 1:
        yield f"the response has several ids: {sorted(ids)}"


def _terminal(stream: list[_Event]) -> Iterator[str]:
    """Check that the last response says what its event says."""
    event = stream[-1]
    if event["type"] not in _STATUS:
        return
    response, status = event["response"], _STATUS[event["type"]]
    if response["status"] != status:
        yield f"{event['type']} carries a response that is {response['status']}"
    if (response.get("error") is not None) != (status == "failed"):
        yield f"{event['type']} with error {response.get('error')}"
    if (response.get("incomplete_details") is not None) != (status == "incomplete"):
        yield f"{event['type']} with incomplete_details {response.get('incomplete_details')}"


def _usage(stream: list[_Event], *, native: bool) -> Iterator[str]:
    event = stream[-1]
    if event["type"] not in _STATUS:
        return
    usage = event["response"].get("usage")
    if usage is None:
        if not (native and event["type"] == "response.failed"):
            yield f"{event['type']} has no usage"
        return
    for side, names in _USAGE_DETAILS.items():
        details: _Event = usage.get(side) or {}
        for name in names - details.keys():
            if not (native and name == "cache_write_tokens"):
                yield f"usage.{side} says nothing about {name}"
    if usage["total_tokens"] != usage["input_tokens"] + usage["output_tokens"]:
        yield "total_tokens is not the sum of input_tokens and output_tokens"


def _item_order(stream: list[_Event]) -> Iterator[str]:
    indexes = [e["output_index"] for e in stream if e["type"] == ADDED]
    if indexes != list(range(len(indexes))):
        yield f"items were added at {indexes}, expected 0, 1, 2 and so on, each once"


def _items(stream: list[_Event]) -> list[ItemEvents]:
    """Sort the events that belong to an item by their output index."""

    def index(event: _Event) -> int:
        return event["output_index"]

    owned = sorted((event for event in stream if "output_index" in event), key=index)
    return [ItemEvents(place, tuple(events)) for place, events in groupby(owned, index)]


def _unfinished(stream: list[_Event], items: list[ItemEvents]) -> Iterator[str]:
    """A failed response may leave items open: a relayed stream was cut; all others close them."""
    if stream[-1]["type"] == "response.failed":
        return
    for item in items:
        if item.done is None:
            yield f"item {item.index} was never done"


def _output(stream: list[_Event], items: list[ItemEvents], *, native: bool) -> Iterator[str]:
    """Check that the final response holds the items just as they were done."""
    if stream[-1]["type"] not in _STATUS:
        return
    output: list[_Event] = stream[-1]["response"].get("output") or []
    done = [item.done["item"] for item in items if item.done is not None]
    if native and not output:
        return
    if len(output) != len(done):
        yield f"the final response has {len(output)} items, but {len(done)} were done"
    for place, (final, item) in enumerate(zip(output, done, strict=False)):
        if {**final, **_VENDOR_STATE} != {**item, **_VENDOR_STATE}:
            yield f"item {place} of the final response is not the item that was done"
