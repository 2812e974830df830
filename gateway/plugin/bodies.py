"""Bodies of JSON: requests on their way to an upstream, and the numbers of tokens it answers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec

from gateway.errors import InvalidRequestError, UpstreamProtocolError

__all__ = ["read_count", "refusing_depth"]

_read_object = msgspec.json.Decoder(dict[str, Any]).decode


@contextmanager
def refusing_depth() -> Generator[None]:
    """Turn the `RecursionError` of what is written inside into an `InvalidRequestError`; also a
    decorator.
    """
    try:
        yield
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
