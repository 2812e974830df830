"""Server-sent events: whatever the network does to the bytes, the frames are the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamProtocolError
from gateway.stream.frames import Frame
from gateway.stream.sse import DONE, SSEDecoder, encode_frames
from gateway.types.content import OutputText
from gateway.types.events import ContentPartAdded, OutputTextDelta


def decode(*chunks: bytes, limit: int = 1_000_000) -> list[Frame]:
    decoder = SSEDecoder(limit)
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.close()


def reference(text: str) -> list[Frame]:
    """Read `text` as slowly as https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    frames: list[Frame] = []
    event, data = "", ""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in [*lines, ""]:
        if line == "":
            if data != "":
                frames.append(Frame(data.removesuffix("\n").encode(), event or None))
            event, data = "", ""
        elif line.startswith(":"):
            continue
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            elif name == "data":
                data += value + "\n"
    return frames


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


LINES = st.sampled_from(
    [
        "data: {}",
        "data:x",
        "data",
        "data:",
        "data:  two spaces",
        "data: caf\u00e9 \u2603 \U0001f600",
        "event: response.created",
        "event:",
        "event",
        ": keep-alive",
        ":",
        "id: 7",
        "retry: 10",
        "nonsense",
        " data: x",
        "",
        "",
    ]
)
BODIES = st.tuples(
    st.sampled_from(["", "\ufeff"]),
    st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])).map("".join)).map("".join),
    st.sampled_from(["", "data: no end", "data: {}\n"]),
).map("".join)


@given(BODIES, st.lists(st.integers(min_value=0, max_value=10_000)))
def test_any_chunking_gives_the_frames_of_the_standard(text: str, places: list[int]) -> None:
    assert decode(*cut(text.encode(), places)) == reference(text)


@given(BODIES)
def test_a_body_in_single_bytes_gives_the_same_frames(text: str) -> None:
    body = text.encode()
    assert decode(*(body[place : place + 1] for place in range(len(body)))) == decode(body)


@given(st.text(), st.lists(st.integers(min_value=0, max_value=10_000)))
def test_no_text_breaks_the_decoder(text: str, places: list[int]) -> None:
    assert decode(*cut(text.encode(), places)) == reference(text)


def test_a_frame_has_its_name_and_its_data() -> None:
    assert decode(b"event: ping\ndata: {}\n\n") == [Frame(b"{}", "ping")]


def test_a_name_lasts_for_one_frame_only() -> None:
    assert decode(b"event: a\ndata: 1\n\ndata: 2\n\n") == [Frame(b"1", "a"), Frame(b"2")]


def test_a_name_without_data_is_no_frame() -> None:
    assert decode(b"event: a\n\ndata: 1\n\n") == [Frame(b"1")]


def test_data_lines_are_joined_by_line_feeds() -> None:
    assert decode(b"data: {\ndata:  1\ndata: }\n\n") == [Frame(b"{\n 1\n}")]


def test_comments_between_data_lines_are_skipped() -> None:
    assert decode(b": OPENROUTER PROCESSING\n\ndata: 1\n: ping\ndata: 2\n\n") == [Frame(b"1\n2")]


def test_a_carriage_return_at_the_end_of_a_chunk_ends_the_line_once() -> None:
    assert decode(b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n") == [Frame(b"1\n2")]


def test_an_empty_chunk_between_a_carriage_return_and_its_line_feed_changes_nothing() -> None:
    assert decode(b"data: 1\r", b"", b"\ndata: 2\r\n\r\n") == [Frame(b"1\n2")]


def test_a_byte_order_mark_in_two_chunks_is_left_out() -> None:
    assert decode(b"\xef\xbb", b"\xbfdata: 1\n\n") == [Frame(b"1")]


def test_only_the_first_byte_order_mark_is_left_out() -> None:
    assert decode("\ufeff\ufeffdata: 1\n\ndata: 2\n\n".encode()) == [Frame(b"2")]


def test_a_byte_order_mark_in_mid_stream_is_not_left_out() -> None:
    assert decode(b"data: 1\n", "\ufeffdata: 2\n\n".encode()) == [Frame(b"1")]


def test_a_name_that_is_not_utf8_does_not_stop_the_stream() -> None:
    assert decode(b"event: \xff\ndata: 1\n\n") == [Frame(b"1", "\ufffd")]


def test_the_last_frame_needs_no_blank_line() -> None:
    assert decode(b"data: 1\n\ndata: 2") == [Frame(b"1"), Frame(b"2")]


def test_a_frame_is_out_as_soon_as_its_blank_line_is_in() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: 1\r\n\r") == [Frame(b"1")]
    assert decoder.feed(b"\n") == []


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: 12345\n\n"],
        [b"data: 123", b"45"],
        [b"data: 123\n", b"data: 45\n"],
        [b": 12345678901"],
    ],
    ids=["a whole frame", "an unfinished line", "several lines", "a comment without end"],
)
def test_a_frame_over_the_limit_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(UpstreamProtocolError, match="more than 4 bytes"):
        decode(*chunks, limit=4)


def test_the_limit_is_for_one_frame_and_not_for_the_stream() -> None:
    frame = b"data: 1234567890\n\n"
    whole = frame * 9
    assert len(decode(whole[:-4], whole[-4:], limit=20)) == 9


def test_a_frame_of_megabytes_in_small_chunks_is_read_in_one_piece() -> None:
    body = b"data: " + b"x" * 4_000_000 + b"\n\n"
    chunks = [body[place : place + 1024] for place in range(0, len(body), 1024)]
    assert decode(*chunks, limit=5_000_000) == [Frame(b"x" * 4_000_000)]


def test_events_become_one_block_of_frames_that_name_their_type() -> None:
    events = [
        ContentPartAdded(
            item_id="msg_1", output_index=0, content_index=0, part=OutputText(text="")
        ),
        OutputTextDelta(item_id="msg_1", output_index=0, content_index=0, delta="a\nb\u2028c"),
    ]
    frames = decode(encode_frames(events))
    assert [frame.event for frame in frames] == [
        "response.content_part.added",
        "response.output_text.delta",
    ]
    assert '"delta":"a\\nb\u2028c"' in frames[1].data.decode()


def test_the_done_frame_reads_as_the_word() -> None:
    assert decode(DONE) == [Frame(b"[DONE]")]
