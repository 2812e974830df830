"""Token counts, as Anthropic reports them and as OpenAI does."""

from __future__ import annotations

from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage
from gateway_anthropic.carriers import Block

__all__ = ["Meter"]


class Meter:
    """Adds up the counts of several answers; within one, a later report replaces an earlier one."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def begin_answer(self) -> None:
        self._before = {name: self._count(name) for name in self._before | self._now}
        self._now = {}

    def read(self, reported: Block) -> Usage:
        """Take in a report, and return what has been used so far."""
        details: Block = reported.get("output_tokens_details") or {}
        for name, count in [*reported.items(), *details.items()]:
            if isinstance(count, int):  # what is not said again stays as it was
                self._now[name] = count
        cached = self._count("cache_read_input_tokens")
        written = self._count("cache_creation_input_tokens")
        sent = self._count("input_tokens") + cached + written  # Anthropic leaves out the cache
        answered, thought = self._count("output_tokens"), self._count("thinking_tokens")
        return Usage(
            input_tokens=sent,
            input_tokens_details=InputTokensDetails(
                cached_tokens=cached, cache_write_tokens=written
            ),
            output_tokens=answered,
            output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
            total_tokens=sent + answered,
        )

    def _count(self, name: str) -> int:
        return self._before.get(name, 0) + self._now.get(name, 0)
