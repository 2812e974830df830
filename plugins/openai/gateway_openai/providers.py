"""The servers that offer the Responses API, one row each; they differ only in what a row can say.

A server that many people use over Chat Completions has its plain name there; the row here, which
uses its Responses endpoint, is named `<server>_responses`.
"""

from __future__ import annotations

from gateway.plugin import ApiKey, Provider
from gateway_openai.dialect import ResponsesDialect

__all__ = ["PROVIDERS"]

_RESPONSES = ResponsesDialect()
_AZURE_ADDRESSES = ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE")

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        name="openai",
        dialect=_RESPONSES,
        base_url="https://api.openai.com/v1",
        base_url_env=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        credentials=ApiKey(env=("OPENAI_API_KEY",)),
    ),
    # https://{resource}.openai.azure.com, https://{resource}.services.ai.azure.com and what the
    # portal shows with /openai/v1 at its end all do as the base URL.
    Provider(
        name="azure",
        dialect=_RESPONSES,
        base_url_env=_AZURE_ADDRESSES,
        credentials=ApiKey(
            env=("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"), header="api-key", prefix=""
        ),
        quirks={"root": "/openai/v1"},
    ),
    # The same servers with an Entra token: they take exactly one of the two headers.
    Provider(
        name="azure_entra",
        dialect=_RESPONSES,
        base_url_env=_AZURE_ADDRESSES,
        credentials=ApiKey(env=("AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN")),
        quirks={"root": "/openai/v1"},
    ),
    Provider(
        name="xai",
        dialect=_RESPONSES,
        base_url="https://api.x.ai/v1",
        base_url_env=("XAI_API_BASE",),
        credentials=ApiKey(env=("XAI_API_KEY",)),
        quirks={"operations": ("create", "retrieve", "delete")},
    ),
    Provider(
        name="openrouter_responses",
        dialect=_RESPONSES,
        base_url="https://openrouter.ai/api/v1",
        base_url_env=("OPENROUTER_API_BASE",),
        credentials=ApiKey(env=("OPENROUTER_API_KEY",)),
        quirks={"operations": ("create",)},
    ),
    # It can keep responses in memory (VLLM_ENABLE_RESPONSES_API_STORE): say so with `operations`.
    Provider(
        name="vllm_responses",
        dialect=_RESPONSES,
        base_url="http://127.0.0.1:8000/v1",
        base_url_env=("HOSTED_VLLM_API_BASE",),
        credentials=ApiKey(env=("HOSTED_VLLM_API_KEY", "VLLM_API_KEY"), required=False),
        quirks={"operations": ("create",)},
    ),
    Provider(
        name="lmstudio_responses",
        dialect=_RESPONSES,
        base_url="http://127.0.0.1:1234/v1",
        base_url_env=("LM_STUDIO_API_BASE",),
        credentials=ApiKey(env=("LM_STUDIO_API_KEY",), required=False),
        quirks={"operations": ("create",)},
    ),
    # Any other server: its base URL and key stand in the configuration.
    Provider(
        name="openai_responses",
        dialect=_RESPONSES,
        credentials=ApiKey(required=False),
    ),
)
