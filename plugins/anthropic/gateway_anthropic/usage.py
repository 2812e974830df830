"""Token counts, as Anthropic reports them and as OpenAI does."""

from __future__ import annotations

from collections import Counter

from gateway.plugin.usage import count_usage
from gateway.types.response import Usage
from gateway_anthropic.carriers import Block

__all__ = ["Meter"]


class Meter:
    """Adds up the counts of several answers; within one, a later report replaces an earlier one."""

    def __init__(self) -> None:
        self._answers: list[dict[str, int]] = [{}]

    def begin_answer(self) -> None:
        self._answers.append({})

    def read(self, reported: Block) -> Usage:
        """Take in a report, and return what has been used so far."""
        told: Block = {**reported, **(reported.get("output_tokens_details") or {})}
        # What is not said again stays as it was.
        self._answers[-1] |= {name: told[name] for name in told if isinstance(told[name], int)}
        counts = Counter[str]()
        for answer in self._answers:
            counts.update(answer)
        cached, written = counts["cache_read_input_tokens"], counts["cache_creation_input_tokens"]
        return count_usage(
            counts["input_tokens"] + cached + written,  # Anthropic leaves out the cache
            counts["output_tokens"],
            cached=cached,
            written=written,
            thought=counts["thinking_tokens"],
        )
