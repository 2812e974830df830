"""The servers that one runs oneself and that speak Chat Completions, one row each.

What the quirks mean is in quirks.py.
"""

from __future__ import annotations

from typing import Any

from gateway.plugin import ApiKey, Provider
from gateway_chat.dialect import ChatDialect

__all__ = ["DIALECT", "SERVERS"]

DIALECT = ChatDialect()
"""The one that all rows share."""


def _server(
    name: str, base_url: str, *prefixes: str, address_env: tuple[str, ...] = (), **quirks: Any
) -> Provider:
    """Return the row of a server that one runs oneself, where a key is the exception.

    Its environment variables begin with its name or one of `prefixes`; `address_env` are the
    server's own, which come last.
    """
    prefixes = (name.upper(), *prefixes)
    return Provider(
        name=name,
        dialect=DIALECT,
        base_url=base_url,
        base_url_env=(
            f"{name.upper()}_BASE_URL",
            *(f"{prefix}_API_BASE" for prefix in prefixes),
            *address_env,
        ),
        credentials=ApiKey(env=tuple(f"{prefix}_API_KEY" for prefix in prefixes), required=False),
        quirks=quirks,
    )


SERVERS: tuple[Provider, ...] = (
    _server("openai_compatible", ""),
    _server(
        "ollama",
        "http://127.0.0.1:11434/v1",
        address_env=("OLLAMA_HOST",),
        root="/v1",  # many set its address without
        port=11434,
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
        audio="object",
        reasoning_out="reasoning",
    ),
    _server("sglang", "http://127.0.0.1:30000/v1", reasoning_out="reasoning_content"),
    _server(
        "llamacpp",
        "http://127.0.0.1:8080/v1",
        single_system=True,
        audio="object",
        tool_choice=("none", "required"),
        reasoning_out="reasoning_content",
    ),
    _server(
        "lmstudio",
        "http://127.0.0.1:1234/v1",
        "LM_STUDIO",
        images="data",
        tool_choice=("none", "required"),
        reasoning_out="reasoning",
    ),
)
