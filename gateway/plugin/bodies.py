"""Bodies of JSON: requests on their way to an upstream, and the numbers of tokens it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.errors import InvalidRequestError, UpstreamProtocolError

__all__ = ["encode_body", "read_count"]

_encode = msgspec.json.Encoder().encode
_read_object = msgspec.json.Decoder(dict[str, Any]).decode


def encode_body(write: Callable[[], Mapping[str, Any]], /) -> bytes:
    """Return what `write` writes as JSON.

    Raises `InvalidRequestError` if the request is nested too deeply for one of the two.
    """
    try:
        return _encode(write())
    except RecursionError as error:
        raise InvalidRequestError("the request is nested too deeply") from error


def read_count(body: bytes, member: str, /) -> int:
    """Return the number of tokens that an answer names in `member`.

    Raises `UpstreamProtocolError` if it does not.
    """
    try:
        return msgspec.convert(_read_object(body).get(member), int)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamProtocolError("the upstream did not say how many tokens") from error
