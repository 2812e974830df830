"""Arguments that a server wants in headers, too: properties of a tool marked `x-mcp-header`.

Only servers since 2026-07-28 know them. A tool whose marks are wrong must not be used at all, says
the protocol: what a router sees would not be what the tool is called with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from gateway.types.wire import JsonObject
from gateway_mcp.eras import encode_header

__all__ = ["Marks", "marks", "parameter_headers"]

Marks = Mapping[tuple[str, ...], str]
"""The name of a header by the path of its property."""

_MARK = "x-mcp-header"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PLAIN_TYPES = ("string", "integer", "boolean")
_DATA = ("const", "default", "enum", "examples")
_MAPS = ("$defs", "definitions", "dependentSchemas", "patternProperties")


def marks(schema: JsonObject) -> Marks | None:
    """Return the marks of a tool's input schema, None if one of them is wrong."""
    found: dict[tuple[str, ...], str] = {}
    for path, position in _positions(schema):
        if _MARK not in position:
            continue
        name = position[_MARK]
        if not path or not _is_token(name) or position.get("type") not in _PLAIN_TYPES:
            return None
        found[path] = name
    names = {name.lower() for name in found.values()}
    return found if len(names) == len(found) else None


def parameter_headers(marked: Marks, arguments: JsonObject) -> dict[str, str]:
    """Return the headers that a call with `arguments` has to have."""
    values = ((name, _value(path, arguments)) for path, name in marked.items())
    return {
        f"Mcp-Param-{name}": encode_header(_written(value))
        for name, value in values
        if isinstance(value, str | int | float)
    }


def _positions(schema: JsonObject) -> Iterator[tuple[tuple[str, ...], JsonObject]]:
    """Yield each schema inside `schema`, with its path if only properties lead there, else ()."""
    waiting: list[tuple[tuple[str, ...] | None, JsonObject]] = [((), schema)]
    while waiting:
        path, position = waiting.pop()
        yield path or (), position
        for keyword, value in position.items():
            if keyword == "properties" and _is_object(value):
                waiting += [
                    (None if path is None else (*path, name), inner)
                    for name, inner in value.items()
                    if _is_object(inner)
                ]
            elif keyword not in _DATA:
                waiting += [(None, inner) for inner in _schemas(keyword, value)]


def _schemas(keyword: str, value: Any) -> Iterator[JsonObject]:
    if _is_object(value):
        yield from filter(_is_object, value.values() if keyword in _MAPS else (value,))
    elif isinstance(value, list):
        yield from filter(_is_object, value)  # pyright: ignore[reportUnknownArgumentType] - any JSON


def _value(path: tuple[str, ...], arguments: Any) -> Any:
    for name in path:
        if not _is_object(arguments):
            return None
        arguments = arguments.get(name)
    return arguments


def _written(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_token(name: Any) -> TypeGuard[str]:
    return isinstance(name, str) and _TOKEN.fullmatch(name) is not None


def _is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)
