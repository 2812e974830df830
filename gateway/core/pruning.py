"""Takes what was dropped out of a request, so that no dialect has to remember it.

The paths are those of verdicts: `reasoning.effort`, `include[1]`, `input[0].content[2]`. A path
that ends in `.type` means the whole element: the tool, the item, the part, the choice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import FieldInfo, fields, replace

from gateway.types.open import Unknown
from gateway.types.request import Request

__all__ = ["find", "prune"]

_STEP = re.compile(r"(\w+)|\[(\d+)\]")
_GONE = object()

Steps = tuple[str | int, ...]


def find(request: Request, path: str) -> object:
    """Return the value at `path`. Raises `LookupError` if there is none."""
    value: Any = request
    for step in _steps(path):
        value = _child(value, step)
    return value


def prune(request: Request, paths: Iterable[str]) -> Request:
    """Return `request` without what stands at `paths`.

    A field gets its default; one that has none takes its owner with it. Raises `LookupError` for
    a path that leads nowhere.
    """
    ways = [_element(_steps(path)) for path in paths]
    return cast("Request", _without(request, ways)) if ways else request


def _steps(path: str) -> Steps:
    return tuple(int(step[2]) if step[2] else step[1] for step in _STEP.finditer(path))


def _element(steps: Steps) -> Steps:
    return steps[:-1] if steps[-1] == "type" and len(steps) > 1 else steps


def _child(value: Any, step: str | int) -> Any:
    match value, step:
        case (tuple() | list(), int()) | (dict(), str()):
            return cast("Any", value)[step]
        case Struct(), str():
            return getattr(value, "type" if step == "type" else _field(value, step).name)
        case _:
            raise LookupError(step)  # such as a tool of a request that has none


def _without(value: Any, ways: Collection[Steps]) -> Any:
    """Return `value` without what the `ways` lead to, or `_GONE` if it cannot be without it."""
    if () in ways:
        return _GONE
    below: defaultdict[Any, list[Steps]] = defaultdict(list)
    for way in ways:
        below[way[0]].append(way[1:])
    changed = {step: _without(_child(value, step), rest) for step, rest in below.items()}
    match value:
        case tuple() | list():
            elements = enumerate(cast("tuple[Any, ...]", value))
            return _kept(changed.get(position, element) for position, element in elements)
        case dict():
            members = {**cast("dict[str, Any]", value), **changed}.items()
            return Unknown({name: member for name, member in members if member is not _GONE})
        case _:
            return _with_defaults(value, changed)


def _with_defaults(value: Struct, changed: dict[Any, Any]) -> Any:
    """Return `value` with what has `changed`, and defaults for what is gone, if there are any."""
    new: dict[str, Any] = {}
    for name, member in changed.items():
        field = _field(value, name)
        if member is _GONE and field.required:
            return _GONE
        new[field.name] = _default(field) if member is _GONE else member
    return replace(value, **new)


def _kept(elements: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(element for element in elements if element is not _GONE)


def _field(value: Struct, name: str) -> FieldInfo:
    for field in fields(value):
        if field.encode_name == name:
            return field
    raise LookupError(name)


def _default(field: FieldInfo) -> object:
    factory = field.default_factory
    return factory() if callable(factory) else field.default
