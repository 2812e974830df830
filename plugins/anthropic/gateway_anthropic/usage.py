"""Token counts, as Anthropic reports them and as OpenAI does."""

from __future__ import annotations

from gateway.plugin.usage import Tally, count_usage
from gateway.types.response import Usage
from gateway_anthropic.carriers import Block

__all__ = ["read_usage"]


def read_usage(reported: Block, tally: Tally) -> Usage:
    """Add what was `reported` to the `tally`, and return what has been used so far."""
    tally.add({**reported, **(reported.get("output_tokens_details") or {})})
    cached = tally.sum("cache_read_input_tokens")
    written = tally.sum("cache_creation_input_tokens")
    return count_usage(
        tally.sum("input_tokens") + cached + written,  # Anthropic leaves out the cache
        tally.sum("output_tokens"),
        cached=cached,
        written=written,
        thought=tally.sum("thinking_tokens"),
    )
