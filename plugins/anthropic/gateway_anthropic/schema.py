"""JSON Schemas as Anthropic's constrained decoding takes them."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from gateway.errors import InvalidRequestError

__all__ = ["strict_schema"]

Schema = dict[str, Any]

_PLAIN = ("$ref", "$schema", "const", "default", "description", "enum", "required", "title", "type")
_ALLOWED: dict[str, tuple[object, ...]] = {
    "format": (
        *("date", "date-time", "duration", "email", "hostname"),
        *("ipv4", "ipv6", "time", "uri", "uuid"),
    ),
    "minItems": (0, 1),
    "additionalProperties": (False,),
}
_NAMED = ("properties", "$defs", "definitions")
_INNER = ("items", "anyOf", "oneOf", "allOf", "prefixItems", *_NAMED)


def strict_schema(schema: Schema) -> Schema:
    """Return `schema` without what the decoder refuses; the model is told of that in words.

    Raises `InvalidRequestError` for one that is nested too deeply.
    """
    try:
        return _strict(schema)
    except RecursionError as error:
        raise InvalidRequestError("the schema is nested too deeply") from error


def _strict(schema: Schema) -> Schema:
    if "$ref" in schema:  # which stands alone
        schema = {name: schema[name] for name in schema if name in ("$ref", *_NAMED)}
    kept: Schema = {}
    lost: list[str] = []
    for name, value in schema.items():
        if name in _INNER:
            kept["anyOf" if name == "oneOf" else name] = _inner(value, named=name in _NAMED)
        elif name in _PLAIN or value in _ALLOWED.get(name, ()):
            kept[name] = value
        else:
            lost.append(f"{name}: {msgspec.json.encode(value).decode()}")
    if kept.get("type") == "object" or "properties" in kept:
        kept["additionalProperties"] = False
    if lost:
        kept["description"] = "\n".join([*filter(None, [kept.get("description")]), *lost])
    return kept


def _inner(value: Any, *, named: bool = False) -> Any:
    if isinstance(value, list):
        return [_inner(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value  # such as `true`
    schema = cast("Schema", value)
    return {name: _inner(schema[name]) for name in schema} if named else _strict(schema)
