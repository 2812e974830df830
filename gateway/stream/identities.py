"""The ids of items and calls: those of one response are never the same."""

from __future__ import annotations

from collections.abc import Callable

from gateway.stream.whole_items import changed, id_prefix, item_id
from gateway.types.items import (
    ApplyPatchCall,
    CustomToolCall,
    FunctionCall,
    LocalShellCall,
    OutputItem,
    ShellCall,
    ToolSearchCall,
)

__all__ = ["Identities", "with_ids_of"]

_CALLS = (
    FunctionCall,
    CustomToolCall,
    ShellCall,
    LocalShellCall,
    ApplyPatchCall,
    ToolSearchCall,
)


class Identities:
    """Knows which ids one response has, and makes others with `mint` for those that are taken."""

    def __init__(self, mint: Callable[[str], str]) -> None:
        self._mint = mint
        self._items: set[str] = set()
        self._calls: set[str] = set()

    def new_item(self, prefix: str) -> str:
        return self._fresh(None, prefix, self._items)

    def call_id(self, name: str | None) -> str:
        """Return the id of a call that the provider calls `name`."""
        return self._fresh(name, "call", self._calls)

    def identified(self, item: OutputItem) -> OutputItem:
        """Return `item` under its own ids, or new ones if it has none or they are taken."""
        item = changed(item, id=self._fresh(item_id(item), id_prefix(item), self._items))
        if isinstance(item, ToolSearchCall) and item.execution == "server":
            return item  # nobody answers it, so its vendor has no name for it
        if isinstance(item, _CALLS):
            item = changed(item, call_id=self.call_id(item.call_id or None))
        return item

    def _fresh(self, name: str | None, prefix: str, taken: set[str]) -> str:
        fresh = name if name and name not in taken else self._mint(prefix)
        taken.add(fresh)
        return fresh


def with_ids_of(identified: OutputItem, item: OutputItem) -> OutputItem:
    """Return `item` under the ids of an item which it takes the place of."""
    item = changed(item, id=item_id(identified) or "")
    if isinstance(item, _CALLS) and isinstance(identified, _CALLS):
        item = changed(item, call_id=identified.call_id or "")
    return item
