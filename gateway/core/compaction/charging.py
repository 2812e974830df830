"""Adds what the gateway's own calls used to the usage of a response."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.plugin.dialect import Translator
from gateway.stream.deltas import Delta, Used
from gateway.stream.frames import Frame
from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage

__all__ = ["Charging", "total"]


class Charging:
    """A translator around that of a dialect: `spent` is added to what the upstream tells."""

    def __init__(self, translator: Translator, spent: Usage) -> None:
        self._translator = translator
        self._spent = spent
        self._told = False

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        if not self._told:
            self._told = True
            yield Used(self._spent)
        for delta in self._translator.feed(frame):
            yield Used(total(self._spent, delta.usage)) if isinstance(delta, Used) else delta


def total(one: Usage, other: Usage) -> Usage:
    """Return what both calls of a model cost together."""
    read, read_too = one.input_tokens_details, other.input_tokens_details
    written, written_too = one.output_tokens_details, other.output_tokens_details
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        input_tokens_details=InputTokensDetails(
            cached_tokens=read.cached_tokens + read_too.cached_tokens,
            cache_write_tokens=read.cache_write_tokens + read_too.cache_write_tokens,
        ),
        output_tokens=one.output_tokens + other.output_tokens,
        output_tokens_details=OutputTokensDetails(
            reasoning_tokens=written.reasoning_tokens + written_too.reasoning_tokens
        ),
        total_tokens=one.total_tokens + other.total_tokens,
    )
