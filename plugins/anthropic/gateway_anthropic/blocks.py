"""Content blocks while they arrive."""

from __future__ import annotations

import msgspec

from gateway_anthropic.carriers import Block

__all__ = ["ArrivingBlock"]


class ArrivingBlock:
    """A content block and the deltas that have come of it. `key` is what ours call it by."""

    def __init__(self, content: Block, key: int, kind: str) -> None:
        self.content = content
        self.key = key
        self.kind = kind
        self._pieces: dict[str, list[str]] = {}
        self._citations: list[object] = []

    def add(self, delta: Block) -> None:
        """Take in a delta: each text in it goes on with the member of its name."""
        for name, news in delta.items():
            if name == "citation":
                self._citations.append(news)
            elif name != "type" and isinstance(news, str):
                self._pieces.setdefault(name, []).append(news)

    def close(self) -> bool:
        """Put `content` together; say whether it is whole, or was cut within its input."""
        pieces = {name: "".join(texts) for name, texts in self._pieces.items()}
        given = pieces.pop("partial_json", "")
        for name, text in pieces.items():
            self.content[name] = f"{self.content.get(name) or ''}{text}"
        if self._citations:
            self.content["citations"] = [*(self.content.get("citations") or ()), *self._citations]
        try:
            if given:
                self.content["input"] = msgspec.json.decode(given)
        except msgspec.DecodeError:
            return False
        return True
