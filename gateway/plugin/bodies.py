"""Bodies of JSON: what goes to an upstream, and what it answers, whatever that may be."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import msgspec

from gateway.errors import InvalidRequestError, UpstreamProtocolError

__all__ = ["members_of", "objects_in", "read_count", "refusing_depth"]

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


def members_of(value: object, /) -> dict[str, Any]:
    """Return the members of `value`, none if it is no object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects_in(value: object, /) -> list[dict[str, Any]]:
    """Return the members of each element of `value`, nothing if it is no list."""
    return [*map(members_of, cast("list[object]", value))] if isinstance(value, list) else []
