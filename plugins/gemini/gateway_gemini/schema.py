"""JSON Schemas, as far as Gemini reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.plugin.bodies import objects_in
from gateway.plugin.schemas import rewrite_inner

__all__ = ["write_schema"]

_LEFT_OUT = frozenset(
    {"$schema", "$comment", "allOf", "const", "not", "if", "then", "else", "patternProperties"}
    | {"propertyNames", "unevaluatedProperties", "unevaluatedItems"}
    | {"dependentRequired", "dependentSchemas"}
)


def write_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` in the words that Gemini knows.

    It reads neither `const` nor `allOf`, which become an `enum` and one schema; what it does not
    enforce at all and may refuse is left out.
    """
    known = {name: value for name, value in schema.items() if name not in _LEFT_OUT}
    if "const" in schema:
        known["enum"] = [schema["const"]]
    written = {name: rewrite_inner(name, value, write_schema) for name, value in known.items()}
    for part in objects_in(rewrite_inner("allOf", schema.get("allOf"), write_schema)):
        for name, value in part.items():
            written[name] = _joined(name, written[name], value) if name in written else value
    return written


def _joined(name: str, one: Any, other: Any) -> Any:
    """Return what both ask for, as far as one schema can say it: else the first counts."""
    kinds: set[type] = {type(one), type(other)}
    if kinds == {dict}:
        return {**other, **one}
    return [*one, *other] if kinds == {list} and name == "required" else one
