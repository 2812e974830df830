"""Token counts, as Gemini reports them and as we report them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage

__all__ = ["read_usage"]


def read_usage(told: Sequence[Mapping[str, int]]) -> Usage:
    """Add up what each answer to one call `told` in its `usageMetadata`.

    Thoughts are not part of what the candidates count, nor is what tools have read part of the
    prompt. Counts of nothing may be missing.
    """
    sent, cached, answered, thought = map(sum, zip(*map(_counts, told), strict=True))
    return Usage(
        input_tokens=sent,
        input_tokens_details=InputTokensDetails(cached_tokens=cached),
        output_tokens=answered,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
        total_tokens=sent + answered,
    )


def _counts(told: Mapping[str, int]) -> tuple[int, int, int, int]:
    sent = told.get("promptTokenCount", 0) + told.get("toolUsePromptTokenCount", 0)
    thought = told.get("thoughtsTokenCount", 0)
    answered = told.get("candidatesTokenCount", 0) + thought
    return sent, told.get("cachedContentTokenCount", 0), answered, thought
