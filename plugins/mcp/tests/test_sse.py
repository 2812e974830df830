"""Events from bytes, however they arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway_mcp.connection import McpProtocolError
from gateway_mcp.sse import EventDecoder, ServerEvent

STREAM = (
    b"\xef\xbb\xbf: welcome\n\n"
    b"id: 1\nretry: 500\ndata: \n\n"
    b"event: endpoint\r\ndata: /messages?id=1\r\n\r\n"
    b"data: one\ndata:two\nid: 2\n\n"
    b"retry: soon\rdata: three\r\r"
    b"data: never finished"
)
EVENTS = [
    ServerEvent(id="1", retry=0.5),
    ServerEvent(name="endpoint", data=b"/messages?id=1"),
    ServerEvent(data=b"one\ntwo", id="2"),
    ServerEvent(data=b"three"),
]


def read(chunks: list[bytes]) -> list[ServerEvent]:
    decoder = EventDecoder(limit=1000)
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@given(some.lists(some.integers(0, len(STREAM)), max_size=8))
def test_events_are_the_same_however_the_network_cuts_them(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(places)]
    assert read(chunks) == EVENTS


@pytest.mark.parametrize("piece", [b"data: 12345678\n", b"x" * 9, b"id: 12345678\n"])
def test_an_event_without_an_end_is_not_kept(piece: bytes) -> None:
    decoder = EventDecoder(limit=100)
    with pytest.raises(McpProtocolError, match="more than 100 bytes"):
        [decoder.feed(piece) for _ in range(100)]


@given(some.lists(some.binary()))
def test_no_bytes_break_the_decoder(chunks: list[bytes]) -> None:
    decoder = EventDecoder(limit=10_000)
    for chunk in chunks:
        decoder.feed(chunk)
