"""Chat Completions: the dialect `chat`, and the vendors and servers that speak it."""

from collections.abc import Iterable

from gateway.plugin import Provider, hookimpl
from gateway_chat.dialect import ChatDialect
from gateway_chat.rows import VENDORS

__all__ = ["VENDORS", "ChatDialect", "gateway_providers"]


@hookimpl
def gateway_providers() -> Iterable[Provider]:
    return VENDORS
