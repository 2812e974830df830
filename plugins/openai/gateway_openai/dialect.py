"""The Responses API as a dialect: where each operation goes, and what an error answer means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from gateway.errors import InvalidRequestError, UpstreamAuthenticationError, UpstreamError
from gateway.plugin import Deployment, Failure, NativeCall, Operation, UpstreamRequest
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import read_report
from gateway_openai.quirks import Quirks, quirks_of

__all__ = ["ResponsesDialect"]

_ROUTES: Mapping[Operation, tuple[str, str]] = {
    "create": ("POST", "/responses"),
    "retrieve": ("GET", "/responses/{id}"),
    "delete": ("DELETE", "/responses/{id}"),
    "cancel": ("POST", "/responses/{id}/cancel"),
    "input_items": ("GET", "/responses/{id}/input_items"),
    "compact": ("POST", "/responses/compact"),
    "input_tokens": ("POST", "/responses/input_tokens"),
}
_FORWARDED = (
    "accept",
    "idempotency-key",
    "openai-beta",
    "traceparent",
    "tracestate",
    "x-client-request-id",
)
"""Headers of the client that mean something to the upstream and give nothing away."""
_PAYMENT_REQUIRED = 402


class ResponsesDialect:
    """Speaks to servers that offer the Responses API: bodies pass, so only the envelope is made."""

    name: ClassVar[str] = "responses"
    native: ClassVar[Literal[True]] = True

    def encode(self, call: NativeCall, /) -> UpstreamRequest:
        """Say where `call` goes, without the credential.

        Raises `InvalidRequestError` if the server does not offer the operation.
        """
        deployment = call.deployment
        quirks = quirks_of(deployment)
        if call.operation not in quirks.operations:
            raise InvalidRequestError(
                f"provider {deployment.provider!r} does not offer the operation"
                f" {call.operation!r} on responses",
                code="unsupported_operation",
            )
        method, route = _ROUTES[call.operation]
        path = route.format(id=quote(call.response_id, safe="")) if call.response_id else route
        return UpstreamRequest(
            method=method,
            url=_url(deployment, quirks, path, call.query),
            headers=_headers(call, quirks),
            body=call.body,
        )

    def error(self, failure: Failure, /) -> UpstreamError:
        """Say which of our errors `failure` is.

        An OpenAI-shaped body passes on with its own status, unless it is about the gateway's own
        key or bill, which are none of the client's business.
        """
        error = read_failure(failure)
        report = read_report(failure.body)
        if report.openai_shaped and _concerns_client(failure.status, error):
            error.status, error.body = failure.status, failure.body
            error.type = report.type or error.type
            error.code = report.code or error.code
            error.param = report.param or error.param
        return error


def _concerns_client(status: int, error: UpstreamError) -> bool:
    return (
        status >= 400
        and status != _PAYMENT_REQUIRED
        and not isinstance(error, UpstreamAuthenticationError)
    )


def _url(deployment: Deployment, quirks: Quirks, path: str, query: str) -> str:
    """Join the base URL, whose own query stays, with the path and the client's query as it came."""
    address, own_query = _address(deployment.base_url, quirks.root, quirks.api_version)
    if not own_query and not query:
        return address + path
    return f"{address}{path}?{'&'.join(filter(None, (own_query, query)))}"


@lru_cache(maxsize=256)
def _address(base_url: str, root: str, api_version: str) -> tuple[str, str]:
    """Return where all paths of a deployment begin, and the query that each of its calls has."""
    base = urlsplit(base_url)
    version = f"api-version={quote(api_version)}" if api_version else ""
    if "api-version=" in base.query:
        version = ""
    path = _root(base.path.rstrip("/"), root)
    address = urlunsplit((base.scheme, base.netloc, path, "", ""))
    return address, "&".join(filter(None, (base.query, version)))


def _root(path: str, wanted: str) -> str:
    """Return `path` with as much of `wanted` at its end as is missing there."""
    if wanted.startswith(path):
        return wanted
    return path if path.endswith(wanted) else path + wanted


def _headers(call: NativeCall, quirks: Quirks) -> dict[str, str]:
    # Relayed bytes must be plain: a compressed answer would have to be unpacked to be read.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    headers |= {name: call.headers[name] for name in _FORWARDED if name in call.headers}
    if call.body:
        headers["content-type"] = "application/json"
    if quirks.organization:
        headers["openai-organization"] = quirks.organization
    if quirks.project:
        headers["openai-project"] = quirks.project
    return headers
