"""Takes what was dropped out of a request, so that no dialect has to remember it.

The paths are those of verdicts: `reasoning.effort`, `include[1]`, `input[0].content[2]`. A path
that ends in `.type` means the whole element: the tool, the item, the part, the choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    # From the last to the first, so that no removal moves what another path means.
    for steps in sorted({_element(_steps(path)) for path in paths}, reverse=True):
        request = cast("Request", _without(request, steps))
    return request


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


def _without(value: Any, steps: Steps) -> Any:
    """Return `value` without what `steps` lead to, or `_GONE` if it cannot be without it."""
    step, rest = steps[0], steps[1:]
    child = _child(value, step)
    changed = _without(child, rest) if rest else _GONE
    if isinstance(step, int):
        kept = () if changed is _GONE else (changed,)
        return (*value[:step], *kept, *value[step + 1 :])
    if isinstance(value, dict):
        members = {**cast("dict[str, Any]", value), step: changed}
        return Unknown({name: member for name, member in members.items() if member is not _GONE})
    field = _field(value, step)
    if changed is not _GONE:
        return replace(value, **{field.name: changed})
    return _GONE if field.required else replace(value, **{field.name: _default(field)})


def _field(value: Struct, name: str) -> FieldInfo:
    for field in fields(value):
        if field.encode_name == name:
            return field
    raise LookupError(name)


def _default(field: FieldInfo) -> object:
    factory = field.default_factory
    return factory() if callable(factory) else field.default
