"""The vendors that speak Chat Completions, one row each, after the servers of servers.py.

A vendor that differs in URL, key or quirks is a row here, not a package. What the quirks mean is in
quirks.py; what is not set here has been seen to work, or nothing is known against it.
"""

from __future__ import annotations

from typing import Any

from gateway.plugin import ApiKey, Provider
from gateway_chat.servers import DIALECT, SERVERS

__all__ = ["VENDORS"]


def _vendor(name: str, base_url: str, *keys: str, prefix: str = "", **quirks: Any) -> Provider:
    """Return the row of a service on the internet; `keys` are the variables that may hold a key.

    Its other variables begin with `prefix`: as a rule that of the key, else its name.
    """
    prefix = prefix or keys[0].rpartition("_API_KEY")[0] or name.upper()
    return Provider(
        name=name,
        dialect=DIALECT,
        base_url=base_url,
        base_url_env=(f"{prefix}_BASE_URL", f"{prefix}_API_BASE"),
        credentials=ApiKey(env=keys),
        quirks=quirks,
    )


_HIGHEST_IS_HIGH = {"minimal": "low", "xhigh": "high", "max": "high"}
_ALL_OR_NOTHING = {"minimal": "none", "low": "high", "medium": "high"} | _HIGHEST_IS_HIGH
_LOW_HIGH_MAX = {"minimal": "low", "medium": "high", "xhigh": "max"}
_WORD = r"[a-zA-Z0-9_-]{1,64}"

_SERVICES: tuple[Provider, ...] = (
    _vendor(
        "openai_chat",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        developer_role=True,
        text_parts=True,
        refusals=True,
        files=("data", "id"),
        audio="object",
        custom_tools="native",
        tool_choice=("none", "required", "named", "allowed"),
        tool_call_id_pattern=".{1,40}",
        tool_name_pattern=_WORD,
        max_tools=128,
        web_search="openai",  # of models that search; the others refuse it
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
        max_tools=128,
        max_tokens_field="max_completion_tokens",
        logprobs=False,
        effort_map=_HIGHEST_IS_HIGH,
        effort_extra={"reasoning_format": "parsed"},
        think_tags="paired",  # its default format
        passes=("user",),  # its service tiers have names of their own
    ),
    _vendor(
        "mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        single_system=True,
        user_after_tool=False,
        files=("data", "url", "id"),
        file_part="document_url",
        audio="string",
        tool_choice=("none", "any", "named"),
        tool_call_id_pattern="[a-zA-Z0-9]{9}",
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
        forcing_stops_thinking=True,
        parallel_tool_calls=False,
        tool_name_pattern=_WORD,
        max_tools=128,
        response_format="json_object",
        effort="thinking_effort",
        effort_map=_LOW_HIGH_MAX,
        reasoning_out="reasoning_content",
        reasoning_required=True,
    ),
    _vendor(
        "moonshot",
        "https://api.moonshot.ai/v1",
        "MOONSHOT_API_KEY",
        images="data",
        strict_tools=False,
        tool_choice=("none",),
        max_tools=128,
        max_tokens_field="max_completion_tokens",
        effort="thinking_effort",
        effort_map=_LOW_HIGH_MAX,
        reasoning_out="reasoning_content",
        reasoning_required=True,
    ),
    _vendor(
        "zai",
        "https://api.z.ai/api/paas/v4",
        "ZAI_API_KEY",
        strict_tools=False,
        response_format="json_object",
        effort="thinking_effort",
        effort_map=_LOW_HIGH_MAX,
        reasoning_out="reasoning_content",
    ),
    _vendor(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
        "QWEN_API_KEY",
        strict_tools=False,
        tool_choice=("none", "named"),
        forcing_stops_thinking=True,
        effort="enable_thinking",
        reasoning_out="reasoning_content",
    ),
    _vendor(
        "gemini_chat",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        prefix="GEMINI_CHAT",  # the address of Gemini's own API is another one
        audio="object",
        logprobs=False,
        effort_map=_HIGHEST_IS_HIGH | {"minimal": "minimal"},
        reasoning_out="signatures",
        reasoning_required=True,
    ),
    _vendor(
        "xai_chat",
        "https://api.x.ai/v1",
        "XAI_API_KEY",
        max_tokens_field="max_completion_tokens",
        max_tools=128,
        effort_map=_HIGHEST_IS_HIGH,
        reasoning_out="reasoning_content",
        passes=("user",),
    ),
    _vendor(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        text_parts=True,
        files=("data", "url"),
        audio="object",
        web_search="openrouter",
        effort="reasoning",
        reasoning_out="details",
        passes=("user", "verbosity"),
    ),
    _vendor(
        "vercel_ai_gateway",
        "https://ai-gateway.vercel.sh/v1",
        "VERCEL_AI_GATEWAY_API_KEY",
        "AI_GATEWAY_API_KEY",
        text_parts=True,
        files=("data",),
        effort="reasoning",
        reasoning_out="details",
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
        reasoning_out="reasoning",
        think_tags="paired",
        passes=("user",),
    ),
    _vendor(
        "perplexity",
        "https://api.perplexity.ai",
        "PERPLEXITY_API_KEY",
        "PERPLEXITYAI_API_KEY",
        single_system=True,
        alternating=True,
        files=("data", "url"),
        file_part="file_url",
        tools="none",
        web_search="perplexity",
        logprobs=False,
        stream_options=False,
        effort_map={"xhigh": "high", "max": "high", "none": "minimal"},
        think_tags="paired",
    ),
    _vendor("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", "HUGGINGFACE_API_KEY"),
    _vendor("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    _vendor("nebius", "https://api.tokenfactory.nebius.com/v1", "NEBIUS_API_KEY"),
    _vendor("novita", "https://api.novita.ai/openai/v1", "NOVITA_API_KEY"),
    _vendor("hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
    _vendor(
        "siliconflow",
        "https://api.siliconflow.com/v1",
        "SILICONFLOW_API_KEY",
        strict_tools=False,
        effort="enable_thinking",
        reasoning_out="reasoning_content",
    ),
    _vendor("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    _vendor(
        "nvidia_nim", "https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY", "NVIDIA_API_KEY"
    ),
    _vendor(
        "minimax",
        "https://api.minimax.io/v1",
        "MINIMAX_API_KEY",
        strict_tools=False,
        max_tokens_field="max_completion_tokens",
        extra_body={"reasoning_split": True},  # else reasoning stands in the text
        effort="none",
        reasoning_out="details",
        think_tags="paired",
    ),
    _vendor("github", "https://models.github.ai/inference", "GITHUB_API_KEY", "GITHUB_TOKEN"),
)

VENDORS: tuple[Provider, ...] = SERVERS + _SERVICES
