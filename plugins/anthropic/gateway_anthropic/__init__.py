"""Claude models through Anthropic's Messages API."""

from collections.abc import Iterable

from gateway.plugin import ApiKey, Provider, hookimpl
from gateway_anthropic.dialect import AnthropicDialect

__all__ = ["AnthropicDialect", "gateway_providers"]


@hookimpl
def gateway_providers() -> Iterable[Provider]:
    return [
        Provider(
            name="anthropic",
            dialect=AnthropicDialect(),
            base_url="https://api.anthropic.com",
            base_url_env=("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
            credentials=ApiKey(env=("ANTHROPIC_API_KEY",), header="x-api-key", prefix=""),
            models=("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"),
        )
    ]
