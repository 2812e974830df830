"""Token counts, as vendors report them and as we report them."""

from __future__ import annotations

from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage
from gateway_chat.wire import CompletionDetails, PromptDetails, ReportedUsage, TokenCounts

__all__ = ["read_usage"]

_NO_PROMPT_DETAILS = PromptDetails()
_NO_COMPLETION_DETAILS = CompletionDetails()
_NO_COUNTS = TokenCounts()


def read_usage(reported: ReportedUsage) -> Usage | None:
    """Return what was used, or None if `reported` says nothing.

    Cached tokens are part of the input, reasoning is part of the output.
    """
    counts = reported.tokens or reported.billed_units or _NO_COUNTS
    sent = _first(reported.prompt_tokens, reported.input_tokens, counts.input_tokens)
    answered = _first(reported.completion_tokens, reported.output_tokens, counts.output_tokens)
    total = _first(reported.total_tokens)
    if not (sent or answered or total):
        return None
    cached, written, thought = _cached(reported), _written(reported), _thought(reported)
    # What only the total counts is reasoning (xAI, Gemini), or input of the cache (Anthropic).
    hidden = max(0, total - sent - answered)
    if hidden and hidden == cached + written:
        sent += hidden
    else:
        answered += hidden
        thought = thought or hidden
    return Usage(
        input_tokens=sent,
        input_tokens_details=InputTokensDetails(cached_tokens=cached, cache_write_tokens=written),
        output_tokens=answered,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
        total_tokens=sent + answered,
    )


def _cached(reported: ReportedUsage) -> int:
    details = reported.prompt_tokens_details or reported.input_tokens_details or _NO_PROMPT_DETAILS
    return _first(
        details.cached_tokens,
        reported.prompt_cache_hit_tokens,
        reported.num_cached_tokens,
        reported.cached_tokens,
        reported.cache_read_input_tokens,
    )


def _written(reported: ReportedUsage) -> int:
    details = reported.prompt_tokens_details or reported.input_tokens_details or _NO_PROMPT_DETAILS
    return _first(details.cache_write_tokens, reported.cache_creation_input_tokens)


def _thought(reported: ReportedUsage) -> int:
    details = (
        reported.completion_tokens_details
        or reported.output_tokens_details
        or _NO_COMPLETION_DETAILS
    )
    return _first(details.reasoning_tokens, reported.reasoning_tokens)


def _first(*counts: float | None) -> int:
    """Return the first of `counts` that counts anything, else 0."""
    return next((int(count) for count in counts if count and count > 0), 0)
