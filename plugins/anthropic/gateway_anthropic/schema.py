"""JSON Schemas as Anthropic's constrained decoding takes them."""

from __future__ import annotations

import msgspec

from gateway.plugin.schemas import NAMED_SCHEMAS, Schema, rewrite_inner

__all__ = ["strict_schema"]

_PLAIN = ("$ref", "$schema", "const", "default", "description", "enum", "required", "title", "type")
_ALLOWED: dict[str, tuple[object, ...]] = {
    "format": (
        *("date", "date-time", "duration", "email", "hostname"),
        *("ipv4", "ipv6", "time", "uri", "uuid"),
    ),
    "minItems": (0, 1),
    "additionalProperties": (False,),
}
_INNER = ("items", "anyOf", "oneOf", "allOf", "prefixItems", *NAMED_SCHEMAS)


def strict_schema(schema: Schema) -> Schema:
    """Return `schema` without what the decoder refuses; the model is told of that in words."""
    if "$ref" in schema:  # which stands alone
        schema = {name: schema[name] for name in schema if name in ("$ref", *NAMED_SCHEMAS)}
    kept: Schema = {}
    lost: list[str] = []
    for name, value in schema.items():
        if name in _INNER:
            kept["anyOf" if name == "oneOf" else name] = rewrite_inner(name, value, strict_schema)
        elif name in _PLAIN or value in _ALLOWED.get(name, ()):
            kept[name] = value
        else:
            lost.append(f"{name}: {msgspec.json.encode(value).decode()}")
    if kept.get("type") == "object" or "properties" in kept:
        kept["additionalProperties"] = False
    if lost:
        kept["description"] = "\n".join([*filter(None, [kept.get("description")]), *lost])
    return kept
