"""From the arguments of a call to an order: what is asked, in bytes, and how it is to be made.

Parameters that are not listed in `parameters` are sent like those that are: in the body, or in the
query string where there is no body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from gateway.client.parameters import (
    CallOptions,
    CompactParameters,
    CountParameters,
    CreateParameters,
    PageOptions,
    RetrieveOptions,
    StoredOptions,
)
from gateway.config import Secret, Timeouts
from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.plugin.dialect import Operation
from gateway.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    InputTokenCount,
    Response,
    decode_compacted,
    decode_deleted,
    decode_input_items,
    decode_input_tokens,
    decode_response,
)

__all__ = [
    "Account",
    "Order",
    "cancel",
    "compact",
    "count_input_tokens",
    "create",
    "delete",
    "input_items",
    "retrieve",
]

Answer = TypeVar("Answer")

_CONNECT_SECONDS = 10.0
_OPTIONS = CallOptions.__optional_keys__
_NOT_IN_QUERIES = StoredOptions.__optional_keys__


class Account(Struct, frozen=True, kw_only=True):
    """Where the caller wants a call to go, as far as it says so; falsy if it says nothing."""

    provider: str = ""
    base_url: str = ""
    api_key: Secret | None = None

    def __bool__(self) -> bool:
        return bool(self.provider or self.base_url or self.api_key is not None)


class Order(Struct, Generic[Answer], frozen=True, kw_only=True):
    """A call, ready to be made.

    `headers` go to the upstream as they are, their names in lower case.
    """

    operation: Operation
    decode: Callable[[bytes], Answer]
    model: str = ""
    body: bytes = b""
    response_id: str = ""
    query: str = ""
    account: Account = Account()
    timeouts: Timeouts | None = None
    headers: Mapping[str, str] = {}

    def read(self, body: bytes) -> Answer:
        """Decode the answer `body`. Raises `UpstreamProtocolError` if it is no such thing."""
        try:
            return self.decode(body)
        except msgspec.DecodeError as error:
            raise UpstreamProtocolError(
                f"the provider's answer cannot be read: {error}; check base_url"
            ) from error


def create(parameters: CreateParameters, *, stream: bool | None = None) -> Order[Response]:
    return _ask("create", decode_response, parameters, stream=stream)


def compact(parameters: CompactParameters) -> Order[CompactedResponse]:
    return _ask("compact", decode_compacted, parameters)


def count_input_tokens(parameters: CountParameters) -> Order[InputTokenCount]:
    return _ask("input_tokens", decode_input_tokens, parameters)


def retrieve(
    response_id: str, options: RetrieveOptions, *, stream: bool | None = None
) -> Order[Response]:
    chosen = {**options, "stream": stream}
    return _about(response_id, "retrieve", decode_response, chosen)


def delete(response_id: str, options: StoredOptions) -> Order[DeletedResponse]:
    return _about(response_id, "delete", decode_deleted, options)


def cancel(response_id: str, options: StoredOptions) -> Order[Response]:
    return _about(response_id, "cancel", decode_response, options)


def input_items(response_id: str, options: PageOptions) -> Order[InputItemList]:
    return _about(response_id, "input_items", decode_input_items, options)


def _ask(
    operation: Operation,
    decode: Callable[[bytes], Answer],
    parameters: Mapping[str, Any],
    *,
    stream: bool | None = None,
) -> Order[Answer]:
    body = {name: value for name, value in parameters.items() if name not in _OPTIONS}
    body.update(parameters.get("extra_body") or {})
    if "stream" in body:
        raise InvalidRequestError("stream is a parameter of its own, not one of extra_body")
    if stream is not None:
        body["stream"] = stream
    model = body.get("model")
    return Order(
        operation=operation,
        decode=decode,
        model=model if isinstance(model, str) else "",
        body=_encode(body),
        query=_query(parameters.get("extra_query") or {}),
        account=_account(parameters),
        timeouts=_timeouts(parameters.get("timeout")),
        headers=_headers(parameters),
    )


def _about(
    response_id: str,
    operation: Operation,
    decode: Callable[[bytes], Answer],
    options: Mapping[str, Any],
) -> Order[Answer]:
    query = {name: value for name, value in options.items() if name not in _NOT_IN_QUERIES}
    return Order(
        operation=operation,
        decode=decode,
        model=options.get("model") or "",
        response_id=response_id,
        query=_query({**query, **(options.get("extra_query") or {})}),
        account=_account(options),
        timeouts=_timeouts(options.get("timeout")),
        headers=_headers(options),
    )


def _account(options: Mapping[str, Any]) -> Account:
    api_key = options.get("api_key")
    return Account(
        provider=options.get("custom_llm_provider") or "",
        base_url=options.get("base_url") or options.get("api_base") or "",
        api_key=None if api_key is None else Secret(api_key, "api_key"),
    )


def _timeouts(timeout: float | Timeouts | None) -> Timeouts | None:
    if timeout is None or isinstance(timeout, Timeouts):
        return timeout
    return Timeouts(connect=min(_CONNECT_SECONDS, timeout), first_byte=timeout, idle=timeout)


def _headers(options: Mapping[str, Any]) -> dict[str, str]:
    given: Mapping[str, str] = options.get("extra_headers") or {}
    return {name.lower(): value for name, value in given.items()}


def _query(values: Mapping[str, object]) -> str:
    """Write a query string as OpenAI's own SDK does: include[]=a, include[]=b, stream=true."""
    pairs: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, list | tuple):
            pairs += [(f"{name}[]", element) for element in cast("Iterable[object]", value)]
        elif isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif value is not None:
            pairs.append((name, value))
    return urlencode(pairs)


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return _encoder.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the parameters have no JSON form: {error}") from error


def _plain(value: Any) -> Any:
    """Return what stands for `value` in JSON, for those objects that know it themselves."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "model_dump"):  # pydantic's; the OpenAI SDK sends its own models like this
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, Iterable):
        return list(cast("Iterable[Any]", value))
    raise TypeError(f"a {type(value).__name__} cannot be encoded")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
