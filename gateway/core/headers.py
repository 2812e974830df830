"""Which headers pass between a client and a native upstream; all others stay where they came."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["forwarded_headers", "returned_headers"]

_FORWARDED = (
    "accept",
    "idempotency-key",
    "openai-beta",
    "x-client-request-id",
    "traceparent",
    "tracestate",
)
_RETURNED = frozenset({"x-request-id", "retry-after", "retry-after-ms", "x-should-retry"})
_RETURNED_PREFIXES = ("openai-", "x-ratelimit-", "x-codex-", "x-models-", "x-reasoning-")


def forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of a client's headers that mean something to the upstream."""
    return {name: headers[name] for name in _FORWARDED if name in headers}


def returned_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of an upstream's headers that clients read."""
    return {
        name: value
        for name, value in headers.items()
        if name in _RETURNED or name.startswith(_RETURNED_PREFIXES)
    }
