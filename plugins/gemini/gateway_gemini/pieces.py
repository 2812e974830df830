"""Answers that pause: how they go on, and what all of their pieces have used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.plugin import UpstreamRequest, Used
from gateway.plugin.usage import Tally, count_usage

__all__ = ["Pieces"]


class Pieces:
    """The pieces of one answer. Each but the first is `asked` for once more, to go on where the
    token in `member` says.
    """

    def __init__(self, asked: Callable[[], UpstreamRequest], member: str) -> None:
        self._asked = asked
        self._member = member
        self._token: str | None = None
        self._tally = Tally()

    def count(self, told: Mapping[str, Any]) -> Used:
        """Add up what each piece has told in its `usageMetadata`, the latest one just now.

        Thoughts are not part of what the candidates count, nor is what tools have read part of the
        prompt. Counts of nothing may be missing.
        """
        self._tally.add(told)
        count = self._tally.sum
        thought = count("thoughtsTokenCount")
        return Used(
            count_usage(
                count("promptTokenCount") + count("toolUsePromptTokenCount"),
                count("candidatesTokenCount") + thought,
                cached=count("cachedContentTokenCount"),
                thought=thought,
            )
        )

    def pause(self, token: str | None) -> bool:
        """Say whether there is another piece, which begins at `token`: not after too many."""
        self._token = token
        return token is not None and self._tally.pause()

    def ask(self) -> UpstreamRequest | None:
        """Return the request for the next piece, if there is one."""
        if not self._tally.resume():
            return None
        request = self._asked()
        body = {**msgspec.json.decode(request.body), self._member: self._token}
        return replace(request, body=msgspec.json.encode(body))
