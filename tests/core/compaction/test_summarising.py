"""All that the model says becomes one compaction item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core.compaction import Summarising
from gateway.errors import UpstreamProtocolError
from gateway.stream.deltas import Delta, Finished, Item, Text, Thought, ToolCall, Used
from gateway.stream.frames import Frame
from gateway.types.items import Compaction
from gateway.types.response import Usage


class Saying:
    """A translator that finds some deltas in its only frame."""

    def __init__(self, *deltas: Delta) -> None:
        self._deltas = deltas

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        yield from self._deltas


def summarised(*deltas: Delta) -> list[Any]:
    return [*Summarising(Saying(*deltas), lambda text: f"<{text}>").feed(Frame(b""))]


def test_text_becomes_the_item_and_the_rest_is_left_out() -> None:
    used = Used(Usage(input_tokens=1))
    said = (Thought("hm"), Text("\nAll "), Text("good.", key=2), ToolCall(key=0, name="f"), used)
    item = Compaction(encrypted_content="<All good.>")
    assert summarised(*said, Finished("stop")) == [used, Item(item), Finished("stop")]


def test_a_summary_that_was_cut_short_is_better_than_none() -> None:
    assert summarised(Text("All"), Finished("max_output_tokens"))[-1] == Finished("stop")


@pytest.mark.parametrize(
    "deltas",
    [(Finished("stop"),), (Text(" "), Finished("stop")), (Text("All"), Finished("content_filter"))],
)
def test_without_a_summary_there_is_no_compaction(deltas: tuple[Delta, ...]) -> None:
    with pytest.raises(UpstreamProtocolError, match="no summary"):
        summarised(*deltas)
