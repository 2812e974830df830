"""Gemini models: Google's own API, and Vertex AI with the credentials of Google Cloud."""

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.plugin import ApiKey, Granted, Provider, Setting, hookimpl
from gateway_gemini.dialect import GeminiDialect
from gateway_gemini.interactions import InteractionsDialect
from gateway_gemini.vertex import fetch_grant, vertex_url

__all__ = ["PROVIDERS", "GeminiDialect", "InteractionsDialect", "gateway_providers"]

_DIALECT = GeminiDialect()
_GEMINI = Provider(
    name="gemini",
    dialect=_DIALECT,
    base_url="https://generativelanguage.googleapis.com/v1beta",
    base_url_env=("GEMINI_API_BASE",),
    credentials=ApiKey(
        env=("GEMINI_API_KEY", "GOOGLE_API_KEY"), header="x-goog-api-key", prefix=""
    ),
)
_VERTEX = Provider(
    name="vertex",
    dialect=_DIALECT,
    base_url=vertex_url,
    credentials=Granted(
        fetch=fetch_grant, key=ApiKey(header="x-goog-api-key", prefix="", required=False)
    ),
    settings={
        "vertex_project": Setting(env=("VERTEXAI_PROJECT", "GOOGLE_CLOUD_PROJECT")),
        "vertex_location": Setting(
            env=("VERTEXAI_LOCATION", "GOOGLE_CLOUD_LOCATION"), default="global"
        ),
        "vertex_credentials": Setting(env=("VERTEXAI_CREDENTIALS",), secret=True),
    },
)

PROVIDERS = (
    _GEMINI,
    replace(_GEMINI, name="gemini_interactions", dialect=InteractionsDialect()),
    _VERTEX,
    replace(_VERTEX, name="vertex_ai"),  # as LiteLLM calls it
)


@hookimpl
def gateway_providers() -> Iterable[Provider]:
    return PROVIDERS
