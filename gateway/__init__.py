"""An LLM gateway: the OpenAI Responses API in front of any provider.

What is named here is loaded when it is first used, so that `import gateway` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.client.functions import (
        acancel_responses,
        acompact_responses,
        acount_input_tokens,
        adelete_responses,
        aget_responses,
        alist_input_items,
        aresponses,
        cancel_responses,
        compact_responses,
        count_input_tokens,
        delete_responses,
        get_responses,
        list_input_items,
        responses,
    )
    from gateway.client.instance import Gateway
    from gateway.client.streams import AsyncResponseStream, ResponseStream
    from gateway.config import Timeouts
    from gateway.errors import (
        AuthenticationError,
        ConfigError,
        ConflictError,
        GatewayError,
        InvalidRequestError,
        NotFoundError,
        PluginError,
        RateLimitError,
        RequestError,
        RequestTooLargeError,
        StoreError,
        ToolError,
        UpstreamAuthenticationError,
        UpstreamError,
        UpstreamProtocolError,
        UpstreamRateLimitError,
        UpstreamRejectedError,
        UpstreamTimeoutError,
        UpstreamUnavailableError,
        UpstreamUnreachableError,
    )
    from gateway.types.events import Event
    from gateway.types.response import Response

__all__ = [
    "AsyncResponseStream",
    "AuthenticationError",
    "ConfigError",
    "ConflictError",
    "Event",
    "Gateway",
    "GatewayError",
    "InvalidRequestError",
    "NotFoundError",
    "PluginError",
    "RateLimitError",
    "RequestError",
    "RequestTooLargeError",
    "Response",
    "ResponseStream",
    "StoreError",
    "Timeouts",
    "ToolError",
    "UpstreamAuthenticationError",
    "UpstreamError",
    "UpstreamProtocolError",
    "UpstreamRateLimitError",
    "UpstreamRejectedError",
    "UpstreamTimeoutError",
    "UpstreamUnavailableError",
    "UpstreamUnreachableError",
    "acancel_responses",
    "acompact_responses",
    "acount_input_tokens",
    "adelete_responses",
    "aget_responses",
    "alist_input_items",
    "aresponses",
    "cancel_responses",
    "compact_responses",
    "count_input_tokens",
    "delete_responses",
    "get_responses",
    "list_input_items",
    "responses",
]

_HOMES = {
    "AsyncResponseStream": "gateway.client.streams",
    "Event": "gateway.types.events",
    "Gateway": "gateway.client.instance",
    "Response": "gateway.types.response",
    "ResponseStream": "gateway.client.streams",
    "Timeouts": "gateway.config",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "gateway.errors" if name.endswith("Error") else "gateway.client.functions"
    value = getattr(import_module(_HOMES.get(name, home)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
