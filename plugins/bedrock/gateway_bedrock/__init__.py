"""Models on AWS Bedrock, through Converse and its OpenAI-compatible endpoints."""

from gateway.plugin import Provider, hookimpl
from gateway_bedrock.dialect import ConverseDialect
from gateway_bedrock.providers import PROVIDERS

__all__ = ["PROVIDERS", "ConverseDialect", "gateway_providers"]


@hookimpl
def gateway_providers() -> tuple[Provider, ...]:
    return PROVIDERS
