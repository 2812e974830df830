"""Reads JSON objects of which some members have not the type that we expect."""

from __future__ import annotations

from contextlib import suppress
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct

__all__ = ["salvage"]

S = TypeVar("S", bound=Struct)


def salvage(data: bytes, kind: type[S]) -> S:
    """Decode `data` as a `kind` without the members that do not fit.

    Raises `msgspec.DecodeError` if `data` is not a JSON object.
    """
    value = msgspec.json.decode(data)
    if not isinstance(value, dict):
        raise msgspec.ValidationError("expected a JSON object")
    return _read_members(kind, cast("dict[str, Any]", value))


def _read(kind: Any, value: Any) -> Any:
    """Return `value` as a `kind`, as much of it as fits; UNSET if nothing does."""
    with suppress(msgspec.ValidationError):
        return msgspec.convert(value, kind)
    for option in get_args(kind) if isinstance(kind, UnionType) else (kind,):
        if isinstance(value, list) and get_origin(option) is tuple:
            found = (_read(get_args(option)[0], member) for member in cast("list[Any]", value))
            return tuple(element for element in found if element is not UNSET)
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, Struct):
            return _read_members(option, cast("dict[str, Any]", value))
    return UNSET


def _read_members(kind: type[S], value: dict[str, Any]) -> S:
    members = {
        field.name: _read(field.type, value[field.encode_name])
        for field in msgspec.structs.fields(kind)
        if field.encode_name in value
    }
    return kind(**{name: member for name, member in members.items() if member is not UNSET})
