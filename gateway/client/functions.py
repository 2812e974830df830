"""The functions of the package: each operation, synchronous and, with an `a`, asynchronous.

They share one gateway in the background of the process (see `background`).
"""

from __future__ import annotations

from typing import Literal, TypeVar, Unpack, overload

from gateway.client import orders
from gateway.client.background import DefaultGateway
from gateway.client.orders import Order
from gateway.client.parameters import (
    CompactParameters,
    CountParameters,
    CreateParameters,
    PageOptions,
    RetrieveOptions,
    StoredOptions,
)
from gateway.client.streams import AsyncResponseStream, ResponseStream
from gateway.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    InputTokenCount,
    Response,
)

__all__ = [
    "DEFAULT",
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

Answer = TypeVar("Answer")

DEFAULT = DefaultGateway()
"""The process-wide gateway: the one thing of this package that is shared."""


@overload
def responses(
    *, stream: Literal[True], **parameters: Unpack[CreateParameters]
) -> ResponseStream: ...


@overload
def responses(
    *, stream: Literal[False] | None = None, **parameters: Unpack[CreateParameters]
) -> Response: ...


def responses(
    *, stream: bool | None = None, **parameters: Unpack[CreateParameters]
) -> Response | ResponseStream:
    """Create a response, or with `stream=True` the stream of its events.

    Takes every parameter of the Responses API, and those of `CallOptions`. Raises `GatewayError`.
    """
    return DEFAULT.answer(orders.create(parameters, stream=stream))


@overload
async def aresponses(
    *, stream: Literal[True], **parameters: Unpack[CreateParameters]
) -> AsyncResponseStream: ...


@overload
async def aresponses(
    *, stream: Literal[False] | None = None, **parameters: Unpack[CreateParameters]
) -> Response: ...


async def aresponses(
    *, stream: bool | None = None, **parameters: Unpack[CreateParameters]
) -> Response | AsyncResponseStream:
    """Create a response, or with `stream=True` the stream of its events; see `responses`."""
    return await DEFAULT.answer_async(orders.create(parameters, stream=stream))


@overload
def get_responses(
    response_id: str, *, stream: Literal[True], **options: Unpack[RetrieveOptions]
) -> ResponseStream: ...


@overload
def get_responses(
    response_id: str,
    *,
    stream: Literal[False] | None = None,
    **options: Unpack[RetrieveOptions],
) -> Response: ...


def get_responses(
    response_id: str, *, stream: bool | None = None, **options: Unpack[RetrieveOptions]
) -> Response | ResponseStream:
    """Fetch a response that is kept, or with `stream=True` the stream of its events.

    Its id says where it is kept; `StoredOptions` can say otherwise. Raises `GatewayError`.
    """
    return DEFAULT.answer(orders.retrieve(response_id, options, stream=stream))


@overload
async def aget_responses(
    response_id: str, *, stream: Literal[True], **options: Unpack[RetrieveOptions]
) -> AsyncResponseStream: ...


@overload
async def aget_responses(
    response_id: str,
    *,
    stream: Literal[False] | None = None,
    **options: Unpack[RetrieveOptions],
) -> Response: ...


async def aget_responses(
    response_id: str, *, stream: bool | None = None, **options: Unpack[RetrieveOptions]
) -> Response | AsyncResponseStream:
    """Fetch a response that is kept, or the stream of its events; see `get_responses`."""
    return await DEFAULT.answer_async(orders.retrieve(response_id, options, stream=stream))


def delete_responses(response_id: str, **options: Unpack[StoredOptions]) -> DeletedResponse:
    """Delete a response that is kept. Raises `GatewayError`."""
    return _whole(orders.delete(response_id, options))


async def adelete_responses(response_id: str, **options: Unpack[StoredOptions]) -> DeletedResponse:
    """Delete a response that is kept. Raises `GatewayError`."""
    return await _whole_async(orders.delete(response_id, options))


def cancel_responses(response_id: str, **options: Unpack[StoredOptions]) -> Response:
    """Cancel a response that runs in the background. Raises `GatewayError`."""
    return _whole(orders.cancel(response_id, options))


async def acancel_responses(response_id: str, **options: Unpack[StoredOptions]) -> Response:
    """Cancel a response that runs in the background. Raises `GatewayError`."""
    return await _whole_async(orders.cancel(response_id, options))


def list_input_items(response_id: str, **options: Unpack[PageOptions]) -> InputItemList:
    """Fetch a page of the input of a response that is kept. Raises `GatewayError`."""
    return _whole(orders.input_items(response_id, options))


async def alist_input_items(response_id: str, **options: Unpack[PageOptions]) -> InputItemList:
    """Fetch a page of the input of a response that is kept. Raises `GatewayError`."""
    return await _whole_async(orders.input_items(response_id, options))


def compact_responses(**parameters: Unpack[CompactParameters]) -> CompactedResponse:
    """Compact a conversation into fewer items. Raises `GatewayError`."""
    return _whole(orders.compact(parameters))


async def acompact_responses(**parameters: Unpack[CompactParameters]) -> CompactedResponse:
    """Compact a conversation into fewer items. Raises `GatewayError`."""
    return await _whole_async(orders.compact(parameters))


def count_input_tokens(**parameters: Unpack[CountParameters]) -> InputTokenCount:
    """Count the tokens that an input would use. Raises `GatewayError`."""
    return _whole(orders.count_input_tokens(parameters))


async def acount_input_tokens(**parameters: Unpack[CountParameters]) -> InputTokenCount:
    """Count the tokens that an input would use. Raises `GatewayError`."""
    return await _whole_async(orders.count_input_tokens(parameters))


def _whole(order: Order[Answer]) -> Answer:
    answer = DEFAULT.answer(order)
    assert not isinstance(answer, ResponseStream)  # only a creation or a retrieval has one
    return answer


async def _whole_async(order: Order[Answer]) -> Answer:
    answer = await DEFAULT.answer_async(order)
    assert not isinstance(answer, AsyncResponseStream)  # only a creation or a retrieval has one
    return answer
