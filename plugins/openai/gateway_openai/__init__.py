"""Upstreams that speak the Responses API themselves."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.plugin import Provider, hookimpl
from gateway_openai.providers import PROVIDERS

__all__ = ["gateway_providers"]


@hookimpl
def gateway_providers() -> Iterable[Provider]:
    return PROVIDERS
