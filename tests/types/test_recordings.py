"""Every recorded request, response and event reads, and loses nothing that we model."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from gateway.types.events import decode_event
from gateway.types.open import Unknown
from gateway.types.request import decode_request
from gateway.types.response import Response, decode_response
from gateway.types.wire import encode

# Types that only one vendor knows: kept verbatim. A known type must not appear here.
VENDORS_OWN = {
    "response.reasoning_part.added",
    "response.reasoning_part.done",
    "x_search",
    "x_search_call",
}
# A vendor echoes the parameter as a string of line feeds; it reads as absent.
NOT_READABLE = {"$.reasoning"}


class Recording(Protocol):
    name: str
    request: bytes | None
    answers: tuple[bytes, ...]
    stream: bool
    status: int


def unknown_types(value: Any) -> Iterator[str]:
    """Yield the types of all values that were not understood."""
    if isinstance(value, Unknown):
        yield value.type
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from unknown_types(getattr(value, name))
    elif isinstance(value, tuple):
        for element in value:
            yield from unknown_types(element)


def fields_of(value: Any) -> set[str]:
    return set(value.__struct_encode_fields__) | {"type"}


def differences(recorded: Any, read: Any, path: str = "$") -> Iterator[str]:
    """Yield the places where what was *read*, written again, is not what was *recorded*."""
    if isinstance(read, msgspec.Struct):
        written = json.loads(encode(read))
        for name in recorded.keys() & fields_of(read):
            # A parameter that is null may be written as absent: both read alike.
            yield from _inside(recorded[name], read, name, written.get(name), f"{path}.{name}")
    elif isinstance(read, tuple):
        if len(recorded) != len(read):
            yield path
        for index, (was, element) in enumerate(zip(recorded, read, strict=False)):
            yield from differences(was, element, f"{path}[{index}]")
    elif recorded != json.loads(encode(read)):
        yield path


def _inside(recorded: Any, read: Any, name: str, written: Any, path: str) -> Iterator[str]:
    names = dict(zip(read.__struct_encode_fields__, read.__struct_fields__, strict=True))
    value = getattr(read, names[name]) if name in names else None
    if isinstance(value, msgspec.Struct | tuple):
        yield from differences(recorded, value, path)
    elif recorded != written:
        yield path


def read_events(recordings: Iterable[Recording]) -> list[tuple[bytes, Any]]:
    return [
        (data, decode_event(data))
        for recording in recordings
        if recording.stream
        for data in recording.answers
    ]


def read_responses(recordings: Iterable[Recording]) -> list[tuple[bytes, Response]]:
    return [
        (recording.answers[0], decode_response(recording.answers[0]))
        for recording in recordings
        if not recording.stream and recording.status < 400
    ]


def test_every_recorded_request_reads_and_loses_nothing(recordings: tuple[Recording, ...]) -> None:
    bodies = [recording.request for recording in recordings if recording.request]
    read = [(body, decode_request(body)) for body in bodies]

    assert len(read) > 50
    assert {kind for _, request in read for kind in unknown_types(request)} == set()
    assert [path for body, request in read for path in differences(json.loads(body), request)] == []


def test_every_recorded_response_reads_and_loses_nothing(recordings: tuple[Recording, ...]) -> None:
    read = read_responses(recordings)

    assert len(read) > 20
    assert {kind for _, response in read for kind in unknown_types(response)} <= VENDORS_OWN
    for body, response in read:
        assert set(differences(json.loads(body), response)) <= NOT_READABLE


def test_every_recorded_event_reads_and_loses_nothing(recordings: tuple[Recording, ...]) -> None:
    read = read_events(recordings)
    lost = Counter(path for data, event in read for path in differences(json.loads(data), event))

    assert len(read) > 2000
    assert {kind for _, event in read for kind in unknown_types(event)} <= VENDORS_OWN
    assert lost == {}


def test_every_recorded_answer_is_given_back_as_it_came(recordings: tuple[Recording, ...]) -> None:
    for body, response in read_responses(recordings):
        assert response.to_dict() == json.loads(body)
    for data, event in read_events(recordings):
        assert event.to_dict() == json.loads(data)
