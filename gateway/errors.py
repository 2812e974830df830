"""The exception tree. Everything that the gateway raises on purpose derives from `GatewayError`.

* GatewayError
  x ConfigError                     the operator's file, environment or command line is wrong
  x PluginError                     a plugin does not keep its contract
  x RequestError                    the caller can fix it
    + InvalidRequestError           400
    + AuthenticationError           401
    + NotFoundError                 404
    + ConflictError                 409
    + RequestTooLargeError          413
    + RateLimitError                429
  x StoreError                      503  the store of responses does not answer
  x ToolError                       424  a tool that the gateway was to run does not answer
  x UpstreamError                   502  a provider failed
    + UpstreamRejectedError              the provider refused the request: its status, type and code
    + UpstreamAuthenticationError   502  the provider refused the gateway's own credential
    + UpstreamRateLimitError        429  the provider's rate limit or quota
    + UpstreamUnavailableError      503  overloaded or 5xx: another deployment may do better
    + UpstreamUnreachableError      502  no connection, or one that broke before the answer
    + UpstreamTimeoutError          504  no connection, first byte or next byte in time
    + UpstreamProtocolError         502  the provider broke its own protocol, or its stream was cut

The wire form of an error is OpenAI's: `{"error": {"message", "type", "param", "code"}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = [
    "AuthenticationError",
    "ConfigError",
    "ConflictError",
    "GatewayError",
    "InvalidRequestError",
    "NotFoundError",
    "PluginError",
    "RateLimitError",
    "RequestError",
    "RequestTooLargeError",
    "StoreError",
    "ToolError",
    "UpstreamAuthenticationError",
    "UpstreamError",
    "UpstreamProtocolError",
    "UpstreamRateLimitError",
    "UpstreamRejectedError",
    "UpstreamTimeoutError",
    "UpstreamUnavailableError",
    "UpstreamUnreachableError",
]


class GatewayError(Exception):
    """Base class.

    `status`, `type`, `code`, `param` and `message` are what an HTTP client sees; a class has
    defaults for the first three and an instance may say better. `headers` go out with an HTTP
    answer (such as `retry-after`).
    """

    status: int = 500
    type: str = "server_error"
    code: str | None = "internal_error"
    param: str | None = None
    headers: Mapping[str, str] = {}

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if param is not None:
            self.param = param


class ConfigError(GatewayError):
    """The configuration cannot be used; the message names the key and says what to write
    instead.
    """

    code = "invalid_configuration"


class PluginError(GatewayError):
    """A plugin does not keep its contract; the message names the plugin."""

    code = "invalid_plugin"


class RequestError(GatewayError):
    """Something that the caller can fix."""

    status = 400
    type = "invalid_request_error"
    code = None


class InvalidRequestError(RequestError):
    """The request is malformed, or asks for what cannot be done."""


class AuthenticationError(RequestError):
    """The caller's key is missing or wrong."""

    status = 401
    code = "invalid_api_key"


class NotFoundError(RequestError):
    """No such model, response or route, or not one of the caller's."""

    status = 404


class ConflictError(RequestError):
    """Somebody else is at work on the same thing."""

    status = 409
    code = "conflict"


class RequestTooLargeError(RequestError):
    """The body is larger than the operator allows."""

    status = 413
    code = "request_too_large"


class RateLimitError(RequestError):
    """The gateway itself is at one of its limits."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class StoreError(GatewayError):
    """The store of responses failed or does not answer."""

    status = 503
    code = "store_unavailable"


class ToolError(GatewayError):
    """A tool that the gateway was to run, such as an MCP server, does not say what it can do."""

    status = 424
    type = "external_connector_error"
    code = "external_connector_error"


class UpstreamError(GatewayError):
    """A provider failed.

    `retryable` says that the same request may succeed elsewhere or later; `retry_after` is the
    provider's own wish in seconds. `begun` says that the answer had begun: asking again would be
    paid for twice. `body` is the provider's answer where a native upstream's error passes on
    unchanged.
    """

    status = 502
    code = "upstream_error"
    retryable: ClassVar[bool] = False
    retry_after: float | None = None
    begun: bool = False
    body: bytes | None = None


class UpstreamRejectedError(UpstreamError):
    """The provider understood the request and refused it: trying again would not help."""

    status = 400
    type = "invalid_request_error"
    code = None


class UpstreamAuthenticationError(UpstreamError):
    """The provider refused the gateway's credential, which is the operator's to mend, not the
    caller's.
    """

    code = "upstream_authentication_error"


class UpstreamRateLimitError(UpstreamError):
    """The provider's rate limit, or its quota (then `code` is `insufficient_quota`)."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    retryable = True


class UpstreamUnavailableError(UpstreamError):
    """The provider is overloaded or broken."""

    status = 503
    code = "overloaded"
    retryable = True


class UpstreamUnreachableError(UpstreamError):
    """No connection to the provider, or one that broke before an answer came."""

    code = "upstream_unreachable"
    retryable = True


class UpstreamTimeoutError(UpstreamError):
    """The provider took longer than the deployment's timeouts allow."""

    status = 504
    code = "upstream_timeout"
    retryable = True


class UpstreamProtocolError(UpstreamError):
    """The provider sent what its own protocol does not allow, or its stream ended without an
    end.
    """

    code = "upstream_protocol_error"
