"""Anthropic's events and messages, and content blocks while they arrive."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from gateway_anthropic.carriers import Block

__all__ = ["ArrivingBlock", "Event", "read_event"]


class Event(Struct, frozen=True):
    """What is read of an event, of the message in one, and of a whole message."""

    type: str = ""
    index: int = 0
    message: Event | None = None
    content_block: Block | None = None
    delta: Block | None = None
    content: tuple[Block, ...] | None = None
    usage: Block | None = None
    stop_reason: str | None = None
    stop_details: Block | None = None
    container: Block | None = None
    error: Any = None


read_event = msgspec.json.Decoder(Event).decode


class ArrivingBlock:
    """A content block and the deltas that have come of it. `key` is what ours call it by."""

    def __init__(self, content: Block, key: int, kind: str) -> None:
        self.content = content
        self.key = key
        self.kind = kind
        self._pieces: dict[str, list[Any]] = {"citation": [], "partial_json": []}

    def add(self, delta: Block) -> None:
        """Take in a delta: each text in it goes on with the member of its name."""
        for name, news in delta.items():
            if name == "citation" or (isinstance(news, str) and name != "type"):
                self._pieces.setdefault(name, []).append(news)

    def close(self) -> bool:
        """Put `content` together; say whether it is whole, or was cut within its input."""
        citations, given = self._pieces.pop("citation"), "".join(self._pieces.pop("partial_json"))
        for name, texts in self._pieces.items():
            self.content[name] = "".join([self.content.get(name) or "", *texts])
        if citations:
            self.content["citations"] = [*(self.content.get("citations") or ()), *citations]
        try:
            if given:
                self.content["input"] = msgspec.json.decode(given)
        except msgspec.DecodeError:
            return False
        return True
