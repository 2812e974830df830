"""Answers that pause: how they go on, and what all of their pieces have used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.plugin import UpstreamRequest, Used
from gateway.plugin.usage import count_usage

__all__ = ["Pieces"]

_PAUSES = 10


class Pieces:
    """The pieces of one answer. Each but the first is `asked` for once more, to go on where the
    token in `member` says.
    """

    def __init__(self, asked: Callable[[], UpstreamRequest], member: str) -> None:
        self._asked = asked
        self._member = member
        self._token: str | None = None
        self._counts: list[dict[str, int]] = [{}]

    def count(self, told: Mapping[str, Any]) -> Used:
        """Add up what each piece has told in its `usageMetadata`, the latest one just now.

        Thoughts are not part of what the candidates count, nor is what tools have read part of the
        prompt. Counts of nothing may be missing.
        """
        self._counts[-1] |= {name: count for name, count in told.items() if isinstance(count, int)}
        thought = self._sum("thoughtsTokenCount")
        return Used(
            count_usage(
                self._sum("promptTokenCount") + self._sum("toolUsePromptTokenCount"),
                self._sum("candidatesTokenCount") + thought,
                cached=self._sum("cachedContentTokenCount"),
                thought=thought,
            )
        )

    def pause(self, token: str | None) -> bool:
        """Say whether there is another piece, which begins at `token`: not after too many."""
        self._token = token if len(self._counts) <= _PAUSES else None
        return self._token is not None

    def ask(self) -> UpstreamRequest | None:
        """Return the request for the next piece, if there is one."""
        if self._token is None:
            return None
        token, self._token = self._token, None
        self._counts.append({})
        request = self._asked()
        body = {**msgspec.json.decode(request.body), self._member: token}
        return replace(request, body=msgspec.json.encode(body))

    def _sum(self, name: str) -> int:
        return sum(counts.get(name, 0) for counts in self._counts)
