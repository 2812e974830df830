"""Where responses, conversations and background work are kept, without a server."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.plugin.store import StoreKind
from gateway.store.memory import MEMORY
from gateway.store.sqlite import SQLITE

__all__ = ["BUILT_IN"]

BUILT_IN: Mapping[str, StoreKind] = MappingProxyType({kind.name: kind for kind in (SQLITE, MEMORY)})
"""The kinds of store that need no plugin, by name."""
