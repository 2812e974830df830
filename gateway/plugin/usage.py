"""Token counts in OpenAI's terms, for dialects whose vendor adds them up in another way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage

__all__ = ["Tally", "count_usage"]

_MOST_ANSWERS = 11


def count_usage(
    sent: int, answered: int, *, cached: int = 0, written: int = 0, thought: int = 0
) -> Usage:
    """Return the usage of a call that `sent` and `answered` as many tokens.

    Those read from a cache and `written` to one are part of the first, the `thought` ones of the
    second.
    """
    return Usage(
        input_tokens=sent,
        input_tokens_details=InputTokensDetails(cached_tokens=cached, cache_write_tokens=written),
        output_tokens=answered,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
        total_tokens=sent + answered,
    )


class Tally:
    """What the answers to one call have reported, each of which goes on with the one before.

    Within an answer a later report replaces an earlier one; all of them are added up.
    """

    def __init__(self) -> None:
        self._answers: list[dict[str, int]] = [{}]
        self._paused = False

    def pause(self) -> bool:
        """Say whether there may be another answer: not if there were too many already."""
        self._paused = len(self._answers) < _MOST_ANSWERS
        return self._paused

    def resume(self) -> bool:
        """Say whether there was a pause, after which another answer begins."""
        paused, self._paused = self._paused, False
        if paused:
            self._answers.append({})
        return paused

    def add(self, reported: Mapping[str, Any]) -> None:
        """Take in a report, of which only numbers count: what it leaves out stays as it was."""
        told = {name: count for name, count in reported.items() if isinstance(count, int)}
        self._answers[-1] |= told

    def sum(self, name: str) -> int:
        return sum(answer.get(name, 0) for answer in self._answers)
