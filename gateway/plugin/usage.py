"""Token counts in OpenAI's terms, for dialects whose vendor adds them up in another way."""

from __future__ import annotations

from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage

__all__ = ["count_usage"]


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
