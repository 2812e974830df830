"""JSON Schemas, as far as Gemini reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["write_schema"]

_LEFT_OUT = frozenset(
    {"$schema", "$comment", "allOf", "const", "not", "if", "then", "else", "patternProperties"}
    | {"propertyNames", "unevaluatedProperties", "unevaluatedItems"}
    | {"dependentRequired", "dependentSchemas"}
)
_NAMED = frozenset({"properties", "$defs", "definitions"})
"""Whose members bear names of the author's."""
_DATA = frozenset({"default", "enum", "example", "examples", "required", "type"})


def write_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` in the words that Gemini knows.

    It reads neither `const` nor `allOf`, which become an `enum` and one schema; what it does not
    enforce at all and may refuse is left out.
    """
    written = {name: _value(name, value) for name, value in schema.items() if name not in _LEFT_OUT}
    if "const" in schema:
        written["enum"] = [schema["const"]]
    parts = schema.get("allOf")
    for part in cast("list[Any]", parts) if isinstance(parts, list) else ():
        for name, value in _value("", part).items() if isinstance(part, dict) else ():
            written[name] = _joined(name, written[name], value) if name in written else value
    return written


def _value(name: str, value: Any) -> Any:
    if name in _DATA:
        return value
    if isinstance(value, list):
        return [_value("", element) for element in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, Any]", value)
    if name in _NAMED:
        return {key: _value("", member) for key, member in members.items()}
    return write_schema(members)


def _joined(name: str, one: Any, other: Any) -> Any:
    """Return what both ask for, as far as one schema can say it: else the first counts."""
    kinds: set[type] = {type(one), type(other)}
    if kinds == {dict}:
        return {**other, **one}
    return [*one, *other] if kinds == {list} and name == "required" else one
