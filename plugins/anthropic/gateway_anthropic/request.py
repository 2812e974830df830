"""A Responses request, written as a request of the Messages API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.plugin import Call, UpstreamRequest

__all__ = ["continue_request", "count_request", "write_request"]


def write_request(call: Call) -> UpstreamRequest:
    """Return the request that asks for a stream of the answer to `call`.

    Raises `InvalidRequestError` for one that no model could take.
    """
    raise NotImplementedError


def continue_request(
    call: Call, blocks: Sequence[Mapping[str, Any]], container: str | None
) -> UpstreamRequest:
    """Return the request that goes on after the assistant has paused having said `blocks`, all of
    them since the request of `call`, in the container whose id is `container`.
    """
    raise NotImplementedError


def count_request(call: Call) -> UpstreamRequest:
    """Return the question how many input tokens `call` has."""
    raise NotImplementedError
