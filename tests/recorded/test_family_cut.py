"""Recorded streams of Claude, of Gemini and on Bedrock that break off."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.stream.lifecycle import violations
from gateway.testing import replay as play
from gateway.testing.replay import plain

from .conftest import FAMILIES
from .families import READINGS, ends
from .telling import read_telling

if TYPE_CHECKING:
    from .conftest import CallOf, Recording

API = tuple(FAMILIES)
ABOUT = {
    "test_a_stream_cut_anywhere_ends_once_and_as_far_as_it_came": lambda one: (
        ends(one) and one.stream
    ),
}
CUTS = 40
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def frame_ends(recording: Recording) -> Iterator[int]:
    """Yield the offsets behind each frame of a stream."""
    body, end = recording.body, 0
    if recording.meta["api"] == "converse_stream":
        while end < len(body):
            end += struct.unpack_from(">I", body, end)[0]
            yield end
    else:
        for position, byte in enumerate(body):
            if byte == ord("\n") and body[position + 1 : position + 2] in (b"\n", b"\r"):
                yield position + 2 + (body[position + 1 : position + 2] == b"\r")


def cuts_of(recording: Recording) -> list[int]:
    """Return some offsets: behind frames, in the middle of them, and at the beginning."""
    ends = list(frame_ends(recording))
    chosen = ends[:: max(1, len(ends) // CUTS)]
    return sorted({0, *chosen, *(end + 5 for end in chosen[:-1]), *ends[-4:-1]})


def test_a_stream_cut_anywhere_ends_once_and_as_far_as_it_came(
    call_of: CallOf, recording: Recording
) -> None:
    dialect, call = call_of(recording)
    read = READINGS[recording.meta["api"]]
    for end in cuts_of(recording):
        cut = recording.body[:end]
        events = plain(play(dialect, call, [cut]))
        told = read(whole_frames(recording, end), stream=True)
        endings = [event["type"] for event in events if event["type"] in TERMINAL]
        assert endings == [f"response.{told.status}"], end
        assert violations(events) == [], end
        made = read_telling(events[-1]["response"])
        assert (made.text, made.reasoning) == (told.text, told.reasoning), end


def whole_frames(recording: Recording, end: int) -> bytes:
    """Return the frames that are whole in the first `end` bytes."""
    return recording.body[: max((0, *(one for one in frame_ends(recording) if one <= end)))]
