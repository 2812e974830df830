"""The vendors and servers that speak Chat Completions, one row each.

A vendor that differs in URL, key or quirks is a row here, not a package. What the quirks mean is in
quirks.py; what is not set here has been seen to work, or nothing is known against it.
"""

from __future__ import annotations

from typing import Any

from gateway.plugin import ApiKey, Provider
from gateway_chat.dialect import ChatDialect

__all__ = ["VENDORS"]

_DIALECT = ChatDialect()


def _vendor(name: str, base_url: str, *keys: str, **quirks: Any) -> Provider:
    """Return the row of a service on the internet; `keys` are the variables that may hold a key."""
    prefix = keys[0].rpartition("_API_KEY")[0] or name.upper()
    return Provider(
        name=name,
        dialect=_DIALECT,
        base_url=base_url,
        base_url_env=(f"{prefix}_BASE_URL", f"{prefix}_API_BASE"),
        credentials=ApiKey(env=keys),
        quirks=quirks,
    )


def _server(name: str, base_url: str, *prefixes: str, **quirks: Any) -> Provider:
    """Return the row of a server that one runs oneself, where a key is the exception.

    Its environment variables begin with its name or one of `prefixes`.
    """
    prefixes = (name.upper(), *prefixes)
    return Provider(
        name=name,
        dialect=_DIALECT,
        base_url=base_url,
        base_url_env=(f"{name.upper()}_BASE_URL", *(f"{prefix}_API_BASE" for prefix in prefixes)),
        credentials=ApiKey(env=tuple(f"{prefix}_API_KEY" for prefix in prefixes), required=False),
        quirks=quirks,
    )


_HIGHEST_IS_HIGH = {"minimal": "low", "xhigh": "high", "max": "high"}
_ALL_OR_NOTHING = {"minimal": "none", "low": "high", "medium": "high"} | _HIGHEST_IS_HIGH

VENDORS: tuple[Provider, ...] = (
    _server("openai_compatible", ""),
    _server(
        "ollama",
        "http://127.0.0.1:11434/v1",
        root="/v1",  # many set its address without
        images="data",
        tool_choice=(),
        parallel_tool_calls=False,
        strict_tools=False,
        reasoning_out="reasoning",
    ),
    _server(
        "vllm",
        "http://127.0.0.1:8000/v1",
        "HOSTED_VLLM",
        max_tokens_field="max_completion_tokens",
        audio=True,
        reasoning_out="reasoning",
    ),
    _server(
        "llamacpp",
        "http://127.0.0.1:8080/v1",
        single_system=True,
        tool_choice=("required",),
        reasoning_out="reasoning_content",
    ),
    _server(
        "lmstudio",
        "http://127.0.0.1:1234/v1",
        "LM_STUDIO",
        images="data",
        tool_choice=("required",),
        reasoning_out="reasoning",
    ),
    _vendor(
        "openai_chat",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        developer_role=True,
        text_parts=True,
        files=("data", "id"),
        audio=True,
        max_tokens_field="max_completion_tokens",
        passes=(
            "prompt_cache_key",
            "prompt_cache_retention",
            "safety_identifier",
            "service_tier",
            "user",
            "verbosity",
        ),
    ),
    _vendor(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        max_tokens_field="max_completion_tokens",
        logprobs=False,
        effort_map=_HIGHEST_IS_HIGH,
        passes=("service_tier", "user"),
    ),
    _vendor(
        "mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        tool_choice=("any", "named"),
        tool_call_id_length=9,
        logprobs=False,
        stream_options=False,  # refuses what it does not know, and reports usage unasked
        effort_map=_ALL_OR_NOTHING,
        reasoning_out="thinking",
    ),
    _vendor(
        "deepseek",
        "https://api.deepseek.com/v1",
        "DEEPSEEK_API_KEY",
        images="none",
        strict_tools=False,
        parallel_tool_calls=False,
        response_format="json_object",
        effort="thinking",
        reasoning_out="reasoning_content",
        reasoning_required=True,
    ),
    _vendor(
        "moonshot",
        "https://api.moonshot.ai/v1",
        "MOONSHOT_API_KEY",
        images="data",
        tool_choice=(),
        effort="thinking",
        reasoning_out="reasoning_content",
        reasoning_required=True,
    ),
    _vendor(
        "zai",
        "https://api.z.ai/api/paas/v4",
        "ZAI_API_KEY",
        response_format="json_object",
        effort="thinking",
        reasoning_out="reasoning_content",
    ),
    _vendor(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        text_parts=True,
        files=("data", "url"),
        audio=True,
        effort="reasoning",
        reasoning_out="details",
        passes=("user", "verbosity"),
    ),
    _vendor(
        "together",
        "https://api.together.xyz/v1",
        "TOGETHER_API_KEY",
        "TOGETHERAI_API_KEY",
        strict_tools=False,
    ),
    _vendor(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY",
        "FIREWORKS_AI_API_KEY",
        reasoning_out="reasoning_content",
        passes=("prompt_cache_key", "user"),
    ),
    _vendor(
        "cerebras",
        "https://api.cerebras.ai/v1",
        "CEREBRAS_API_KEY",
        images="none",
        max_tokens_field="max_completion_tokens",
        effort_map=_HIGHEST_IS_HIGH,
        passes=("user",),
    ),
    _vendor(
        "perplexity",
        "https://api.perplexity.ai",
        "PERPLEXITY_API_KEY",
        "PERPLEXITYAI_API_KEY",
        tools="none",
        logprobs=False,
        stream_options=False,
        think_tags="paired",
    ),
    _vendor("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", "HUGGINGFACE_API_KEY"),
)
