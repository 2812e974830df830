"""Models on AWS Bedrock, through Converse and its OpenAI-compatible endpoints."""

from gateway_bedrock.dialect import ConverseDialect
from gateway_bedrock.providers import PROVIDERS, gateway_providers

__all__ = ["PROVIDERS", "ConverseDialect", "gateway_providers"]
