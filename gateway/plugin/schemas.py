"""The walk through a JSON Schema, for dialects whose vendor reads only a part of the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

__all__ = ["NAMED_SCHEMAS", "Schema", "rewrite_inner"]

Schema = dict[str, Any]

NAMED_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
"""Keywords whose members are schemas with names of the author's."""
_DATA = frozenset({"const", "default", "enum", "example", "examples", "required", "type"})


def rewrite_inner(keyword: str, value: Any, rewrite: Callable[[Schema], Any]) -> Any:
    """Return the `value` of `keyword` with every schema that stands in it as `rewrite` makes it.

    What is no schema, and data that only looks like one, stays as it is. `rewrite` calls this in
    turn for the keywords of the schema that it gets.
    """
    if keyword in _DATA:
        return value
    if isinstance(value, list):
        return [rewrite_inner("", each, rewrite) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    schema = cast("Schema", value)
    if keyword in NAMED_SCHEMAS:
        return {name: rewrite_inner("", member, rewrite) for name, member in schema.items()}
    return rewrite(schema)
