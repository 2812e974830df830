"""Conversations in which user and assistant take turns, for vendors that want one message each."""

from __future__ import annotations

from typing import Any

__all__ = ["Turns"]


class Turns:
    """The `messages`, each a `role` and a `content` of blocks.

    What a role says without another in between is one message. Results of calls come first in what
    the user says next, wherever they stand in the input.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._results: list[Any] = []

    @property
    def last_role(self) -> str:
        """The role of the last message, empty if there is none."""
        return self.messages[-1]["role"] if self.messages else ""

    def say(self, role: str, *blocks: Any) -> None:
        """Add to the message of `role` that is under way, or begin one."""
        if role == "user" and self._results:
            blocks, self._results = (*self._results, *blocks), []
        if self.last_role == role:
            self.messages[-1]["content"] += blocks
        elif blocks:
            self.messages.append({"role": role, "content": [*blocks]})

    def answer(self, *results: Any) -> None:
        """Keep `results` until the user speaks, if only to end the turn by saying nothing."""
        self._results += results
