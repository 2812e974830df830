"""The catalog: the tools of a request as the model sees them, and what each of them stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec
from msgspec import UNSET

from gateway.core.lowering.functions import (
    custom_function,
    machine_function,
    namespaced,
    search_function,
)
from gateway.core.lowering.names import Origin
from gateway.core.lowering.offers import Offer
from gateway.errors import InvalidRequestError
from gateway.types.tools import CustomTool, FunctionTool, Tool, ToolSearchTool

__all__ = ["Catalog"]


class Catalog:
    """Knows by what name each tool goes.

    Raises `InvalidRequestError` if two tools come to bear one name.
    """

    def __init__(self, offers: Iterable[Offer], types: Container[str]) -> None:
        self._offers = list(offers)
        self._types = types
        self._named: dict[str, Offer] = {}
        for offer in self._offers:
            if offer.name and self._named.setdefault(offer.name, offer) is not offer:
                raise InvalidRequestError(
                    f"two tools come to bear the name {offer.name!r}, rename one of them",
                    param=f"{offer.path}.name",
                )

    def find(self, name: str, namespace: str | None = None) -> str | None:
        """Return what the tool goes by that the client calls `name`, None if there is none.

        Raises `InvalidRequestError` if tools of several namespaces have that name.
        """
        if name in self._named and not namespace:
            return name
        found = [
            flat
            for flat, offer in self._named.items()
            if offer.origin.name == name and namespace in (None, offer.origin.namespace)
        ]
        if len(found) > 1:
            raise InvalidRequestError(
                f"tool_choice names the tool {name!r}, which several namespaces have, say which"
                f" with one of {', '.join(found)}",
                param="tool_choice.name",
            )
        return found[0] if found else None

    def members(self, namespace: str) -> list[str]:
        """Return what the tools of a namespace go by."""
        return [flat for flat, offer in self._named.items() if _in(offer) == namespace]

    def kind(self, name: str) -> str:
        """Return the type of the tool `name` as the upstream is told it."""
        custom = self._named[name].tool.type == "custom"
        return "custom" if custom and "custom" not in self._types else "function"

    def tools(self, chosen: Container[str]) -> tuple[Tool, ...]:
        """Return what the model is offered: no deferred tool that is neither loaded nor chosen."""
        search = any(
            isinstance(offer.tool, ToolSearchTool) and offer.name for offer in self._offers
        )
        shown: list[Offer] = []
        hidden: list[Offer] = []
        for offer in self._offers:
            ready = not offer.deferred or offer.loaded or (offer.name or "") in chosen
            (shown if ready or not search else hidden).append(offer)
        return tuple(self._write(shown, hidden))

    @property
    def origins(self) -> Mapping[str, Origin]:
        """What the names stand for that mean more than a function of that name."""
        offers = {name: offer for name, offer in self._named.items() if self._is_lowered(offer)}
        origins = {name: offer.origin for name, offer in offers.items()}
        children = Counter(offer.origin.name for offer in offers.values() if offer.namespace)
        for offer in offers.values():  # models forget the namespace
            child = offer.origin.name
            if children[child] == 1 and offer.namespace and child not in self._named:
                origins[child] = offer.origin
        return origins

    def _is_lowered(self, offer: Offer) -> bool:
        return bool(offer.namespace) or (
            offer.tool.type != "function" and offer.tool.type in self._types
        )

    def _write(self, shown: list[Offer], hidden: list[Offer]) -> Iterator[Tool]:
        described: set[str] = set()
        for offer in shown:
            tool = offer.tool
            if offer.namespace and offer.name and isinstance(tool, FunctionTool | CustomTool):
                tool = namespaced(tool, offer.name, _about(offer, described))
            elif offer.loaded and isinstance(tool, FunctionTool):
                tool = msgspec.structs.replace(tool, defer_loading=UNSET)
            if tool.type == "function" or tool.type not in self._types or not offer.name:
                yield tool
            elif isinstance(tool, CustomTool):
                yield custom_function(tool, offer.name)
            elif isinstance(tool, ToolSearchTool):
                yield search_function(offer, hidden)
            else:
                yield machine_function(offer)


def _in(offer: Offer) -> str | None:
    return offer.namespace.name if offer.namespace else None


def _about(offer: Offer, described: set[str]) -> str:
    """Return what is to be said of the whole namespace: once, with the first of its members."""
    space = offer.namespace
    if space is None or not space.description or space.name in described:
        return ""
    described.add(space.name)
    return f"All functions of {space.name}: {space.description}"
