"""The event stream is cut into the same frames whatever its pieces, and broken bytes are told."""

import struct
from zlib import crc32

import pytest

from gateway.errors import UpstreamProtocolError
from gateway.plugin import EXCEPTION, EventStream

from .conftest import event, exception, message

STREAM = event("messageStart", {"role": "assistant"}) + event("metadata", {"usage": {}})


def prelude(length: int, headers: int) -> bytes:
    begin = struct.pack(">II", length, headers)
    return begin + struct.pack(">I", crc32(begin))


def test_any_pieces_give_the_same_frames() -> None:
    whole = EventStream().feed(STREAM)
    assert [frame.event for frame in whole] == ["messageStart", "metadata"]
    for size in (1, 2, 5, 64):
        stream = EventStream()
        pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
        assert [frame for piece in pieces for frame in stream.feed(piece)] == whole
        assert stream.close() == []


@pytest.mark.parametrize("place", [0, 9, 20, len(STREAM) // 2 - 1])
def test_a_byte_that_changed_on_the_way_is_noticed(place: int) -> None:
    broken = bytearray(event("messageStart", {"role": "assistant"}) * 2)
    broken[place] ^= 1
    with pytest.raises(UpstreamProtocolError, match="broken event stream"):
        EventStream().feed(bytes(broken))


def test_what_came_before_a_broken_message_is_told_first() -> None:
    stream = EventStream()
    assert len(stream.feed(STREAM + b"\x00" * 16)) == 2
    with pytest.raises(UpstreamProtocolError):
        stream.close()


@pytest.mark.parametrize(("length", "headers"), [(15, 0), (40, 25), (2**31, 0)])
def test_a_length_that_cannot_be_is_refused_before_it_is_waited_for(
    length: int, headers: int
) -> None:
    with pytest.raises(UpstreamProtocolError):
        EventStream().feed(prelude(length, headers) + b"\x00" * 8)


def test_headers_that_are_no_strings_are_passed_over() -> None:
    others = (b"\x00", b"\x01", b"\x02.", b"\x03..", b"\x04....", b"\x05" + b"." * 8)
    values = (*others, b"\x06\x00\x03abc", b"\x08" + b"." * 8, b"\x09" + b"." * 16)
    written = b"".join(b"\x04name" + value for value in values)
    written += b"\x0b:event-type\x07\x00\x05later"
    begin = prelude(len(written) + 18, len(written)) + written + b"{}"
    (frame,) = EventStream().feed(begin + struct.pack(">I", crc32(begin)))
    assert (frame.event, frame.data) == ("later", b"{}")


@pytest.mark.parametrize("written", [b"\x05name", b"\x01\xff\x00"])
def test_headers_that_end_too_early_are_refused(written: bytes) -> None:
    begin = prelude(len(written) + 16, len(written)) + written
    with pytest.raises(UpstreamProtocolError, match="headers"):
        EventStream().feed(begin + struct.pack(">I", crc32(begin)))


def test_exceptions_and_errors_say_what_they_are() -> None:
    thrown = exception("throttlingException", {"message": "slow down"})
    error = message(b"", message_type="error", error_code="InternalError", error_message="oh")
    first, second = EventStream().feed(thrown + error)
    assert (first.event, first.data) == (
        f"{EXCEPTION}throttlingException",
        b'{"message":"slow down"}',
    )
    assert (second.event, second.data) == (f"{EXCEPTION}InternalError", b'{"message":"oh"}')
