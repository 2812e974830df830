"""The choice among tools, in terms of what they go by."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import msgspec

from gateway.core.lowering.catalog import Catalog
from gateway.core.lowering.offers import NAMED_BY_TYPE
from gateway.errors import InvalidRequestError
from gateway.types.tools import AllowedToolsChoice, CustomChoice, FunctionChoice, ToolChoice

__all__ = ["lower_choice"]


def lower_choice(
    choice: ToolChoice | None, catalog: Catalog, types: Container[str]
) -> ToolChoice | None:
    """Return `choice` as one among the functions that the model is offered.

    Raises `InvalidRequestError` if the tool that it names is not there, or not the only one of that
    name.
    """
    match choice:
        case None | str():
            return choice
        case FunctionChoice(name=name) | CustomChoice(name=name):
            return _named(choice, catalog.find(name), catalog)
        case AllowedToolsChoice(tools=entries):
            allowed = [one for entry in entries for one in _entries(entry, catalog, types)]
            return msgspec.structs.replace(choice, tools=tuple(allowed))
        case _ if choice.type in NAMED_BY_TYPE and choice.type in types:
            return _named(choice, catalog.find(choice.type), catalog)
        case _:
            return choice


def _named(choice: ToolChoice, found: str | None, catalog: Catalog) -> ToolChoice:
    if found is None:
        name = getattr(choice, "name", "") or getattr(choice, "type", "")
        raise InvalidRequestError(
            f"tool_choice names the tool {name!r}, which is not among the tools of the request",
            param="tool_choice",
        )
    return (
        CustomChoice(name=found) if catalog.kind(found) == "custom" else FunctionChoice(name=found)
    )


def _entries(
    entry: dict[str, Any], catalog: Catalog, types: Container[str]
) -> Iterable[dict[str, Any]]:
    """Return what one entry of the allowed tools means; a namespace means all of its members."""
    kind, name = str(entry.get("type")), str(entry.get("name"))
    match kind:
        case "function" | "custom":
            found = [catalog.find(name, entry.get("namespace"))]
        case "namespace" if kind in types:
            found = catalog.members(name)
        case _ if kind in NAMED_BY_TYPE and kind in types:
            found = [catalog.find(kind)]
        case _:
            return [entry]
    return [{"type": catalog.kind(flat), "name": flat} for flat in found if flat] or [entry]
