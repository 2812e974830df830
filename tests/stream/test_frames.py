"""The framing of an answer that is not a stream."""

from __future__ import annotations

import pytest

from gateway.stream.frames import Frame, WholeBody


def test_a_whole_body_is_one_frame_when_it_ends() -> None:
    framing = WholeBody()
    assert framing.feed(b'{"a":') == framing.feed(b"1}") == []
    assert framing.close() == [Frame(b'{"a":1}')]
    assert framing.close() == []


@pytest.mark.parametrize("body", [b"", b"\r\n"], ids=["nothing", "white space"])
def test_an_empty_body_has_no_frame(body: bytes) -> None:
    framing = WholeBody()
    framing.feed(body)
    assert framing.close() == []
