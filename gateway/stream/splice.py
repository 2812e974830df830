"""Changing a few members of a JSON object while the rest of it stays as it was written.

Values that are not named are never decoded: number forms, escapes, key order and unknown members
survive. Only white space between the members goes, and of a repeated key the last is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec
from msgspec import Raw

from gateway.errors import InvalidRequestError

__all__ = ["DROP", "Drop", "check_utf8", "join_members", "read_members", "splice"]


class Drop(Enum):
    """The type of `DROP`."""

    DROP = "drop"


DROP: Final = Drop.DROP
"""In place of a new value: the member goes."""

_decoder = msgspec.json.Decoder(dict[str, Raw])
_encoder = msgspec.json.Encoder()


def splice(
    body: bytes, changes: Mapping[str, object], *, additions: Mapping[str, object] | None = None
) -> bytes:
    """Return the JSON object `body` with new values for those of `changes` that it has.

    A changed member keeps its place. `additions` are set whether the object has them or not, new
    ones at its end. Values are encoded as JSON; a `Raw` is taken as it is.

    Raises `InvalidRequestError` if `body` is not a JSON object.
    """
    try:
        members = read_members(body)
    except ValueError as error:
        raise InvalidRequestError(str(error), code="invalid_json") from error
    for name, value in changes.items():
        if value is DROP:
            members.pop(name, None)
        elif name in members:
            members[name] = _raw(value)
    for name, value in (additions or {}).items():
        members[name] = _raw(value)
    return join_members(members)


def read_members(body: bytes | Raw) -> dict[str, Raw]:
    """Return the members of a JSON object, undecoded and in order.

    Raises `ValueError` if `body` is not a JSON object.
    """
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise ValueError("the body is JSON but not an object; send a JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the body is not valid JSON: {error}") from error


def join_members(members: Mapping[str, Raw]) -> bytes:
    """Return the JSON object that has these members."""
    return _encoder.encode(members)


def check_utf8(body: bytes) -> None:
    """Raise `InvalidRequestError` unless all of `body` is UTF-8, undecoded values included."""
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError(
            f"the body is not valid UTF-8 (byte {error.start}); encode it as UTF-8",
            code="invalid_json",
        ) from error


def _raw(value: object) -> Raw:
    return value if isinstance(value, Raw) else Raw(_encoder.encode(value))
