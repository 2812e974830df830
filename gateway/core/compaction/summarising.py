"""Reads the answer to a request for a summary: all of it becomes one compaction item."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.errors import UpstreamProtocolError
from gateway.plugin.dialect import Translator
from gateway.stream.deltas import Delta, Finished, Item, Text, Used
from gateway.stream.frames import Frame
from gateway.types.items import Compaction

__all__ = ["Summarising"]


class Summarising:
    """A translator around that of a dialect. `seal` makes of a summary what a client may hold.

    A summary that was cut short at the token limit is better than none.
    """

    def __init__(self, translator: Translator, seal: Callable[[str], str]) -> None:
        self._translator = translator
        self._seal = seal
        self._texts: list[str] = []

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means. Raises `UpstreamProtocolError` if there is no summary at the
        end.
        """
        for delta in self._translator.feed(frame):
            match delta:
                case Text(text=text):
                    self._texts.append(text)
                case Used():
                    yield delta
                case Finished(reason=reason):
                    yield Item(self._compaction(reason))
                    yield Finished("stop")
                case _:
                    pass

    def _compaction(self, reason: str) -> Compaction:
        text = "".join(self._texts).strip()
        if not text or reason == "content_filter":
            raise UpstreamProtocolError("the model wrote no summary of the conversation")
        return Compaction(encrypted_content=self._seal(text))
