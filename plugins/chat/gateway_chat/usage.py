"""Token counts, as vendors report them and as we report them."""

from __future__ import annotations

from gateway.types.response import InputTokensDetails, OutputTokensDetails, Usage
from gateway_chat.wire import CompletionDetails, PromptDetails, ReportedUsage

__all__ = ["read_usage"]

_NO_PROMPT_DETAILS = PromptDetails()
_NO_COMPLETION_DETAILS = CompletionDetails()


def read_usage(reported: ReportedUsage) -> Usage:
    """Return what was used: cached tokens are part of the input, reasoning part of the output."""
    prompt = reported.prompt_tokens_details or _NO_PROMPT_DETAILS
    completion = reported.completion_tokens_details or _NO_COMPLETION_DETAILS
    cached = (
        prompt.cached_tokens
        or reported.prompt_cache_hit_tokens
        or reported.num_cached_tokens
        or reported.cached_tokens
    )
    sent = int(reported.prompt_tokens or 0)
    thought = int(completion.reasoning_tokens or 0)
    answered = int(reported.completion_tokens or 0)
    # xAI counts the reasoning beside the completion, which the total betrays.
    if thought and reported.total_tokens == sent + answered + thought:
        answered += thought
    return Usage(
        input_tokens=sent,
        input_tokens_details=InputTokensDetails(
            cached_tokens=int(cached or 0), cache_write_tokens=int(prompt.cache_write_tokens or 0)
        ),
        output_tokens=answered,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
        total_tokens=sent + answered,
    )
