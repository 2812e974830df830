"""How answers end: what servers say in `finish_reason`."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.plugin import FinishReason

__all__ = ["BREAKDOWNS", "FINISH_REASONS"]

FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "eos": "stop",  # Together
    "eos_token": "stop",  # Text Generation Inference, as the next
    "stop_sequence": "stop",
    "complete": "stop",  # Cohere
    "end_turn": "stop",  # Anthropic's words, which some bridges leave as they are
    "tool_use": "stop",
    "length": "max_output_tokens",
    "model_length": "max_output_tokens",  # Mistral
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",  # z.ai, Anthropic
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",  # Gemini
    "sensitive": "content_filter",  # z.ai
}
"""What the known reasons mean, in lower case."""

BREAKDOWNS = frozenset(
    {"abort", "engine_overloaded", "error", "insufficient_system_resource", "network_error"}
)
"""Reasons that say that the server failed."""
