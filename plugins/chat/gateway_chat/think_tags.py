"""Reasoning that a server leaves in the content, between `<think>` tags."""

from __future__ import annotations

from typing import Literal

from gateway.plugin import Text, Thought

__all__ = ["TagSplitter"]

_OPEN = "<think>"
_CLOSE = "</think>"


class TagSplitter:
    """Splits content into thoughts and text, whatever the pieces it comes in.

    Only a tag at the start counts, for a model may well talk about the tags later on. With
    `opened` the chat template has written the first tag already, and the content begins within.
    """

    def __init__(self, mode: Literal["paired", "opened"]) -> None:
        self._place: Literal["start", "thought", "gap", "text"] = (
            "thought" if mode == "opened" else "start"
        )
        self._held = ""

    def feed(self, content: str) -> list[Text | Thought]:
        """Return what is certain by now; the start of what may be a tag is held back."""
        if self._place == "text":
            return [Text(content)]
        self._held += content
        deltas: list[Text | Thought] = []
        if self._place == "start":
            self._read_start()
        if self._place == "thought":
            self._read_thought(deltas)
        if self._place == "gap" and (rest := self._held.lstrip()):
            self._place, self._held = "text", rest
        if self._place == "text" and self._held:
            deltas.append(Text(self._held))
            self._held = ""
        return deltas

    def close(self) -> list[Text | Thought]:
        """Return what was held back when the content ends."""
        held, self._held = self._held, ""
        if not held or self._place == "gap":
            return []
        return [Thought(held) if self._place == "thought" else Text(held)]

    def _read_start(self) -> None:
        seen = self._held.lstrip()
        if seen.startswith(_OPEN):
            self._place, self._held = "thought", seen.removeprefix(_OPEN)
        elif not _OPEN.startswith(seen):
            self._place = "text"

    def _read_thought(self, deltas: list[Text | Thought]) -> None:
        thought, tag, rest = self._held.partition(_CLOSE)
        if tag:
            self._place, self._held = "gap", rest
        else:
            keep = _overlap(thought, _CLOSE)
            thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        if thought:
            deltas.append(Thought(thought))


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` may be the start of `tag`."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])), 0)
