"""The store contract: where the gateway keeps responses of upstreams that keep none themselves.

Items are stored once; a record holds ordered lists of item ids, so that continuing a response
costs one row and one bulk read, and deleting one never breaks another that builds on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct

__all__ = ["Record", "Store", "StoreKind", "StoredItem"]


class StoredItem(Struct, frozen=True, kw_only=True):
    """One item, stored once: `body` is its JSON as it came or went."""

    id: str
    body: bytes


class Record(Struct, frozen=True, kw_only=True):
    """A response as stored: everything but its items, which it names in order.

    `body` is the response's JSON without `output`; times are Unix seconds.
    """

    id: str
    tenant: str
    created_at: float
    expires_at: float
    status: str
    model: str
    account: str
    body: bytes
    context_ids: tuple[str, ...] = ()
    output_ids: tuple[str, ...] = ()


class Store(Protocol):
    """Keeps records and items, each visible to its own tenant only.

    Every method raises `StoreError` when the store does not answer.
    """

    async def save(self, record: Record, items: Sequence[StoredItem], /) -> None:
        """Write `record` and those of its `items` that are new, in one transaction."""
        ...

    async def load(self, tenant: str, response_id: str, /) -> Record | None: ...

    async def items(self, tenant: str, ids: Iterable[str], /) -> Mapping[str, StoredItem]:
        """Return those of `ids` that exist, in one read."""
        ...

    async def delete(self, tenant: str, response_id: str, /) -> bool:
        """Forget the response; say whether there was one."""
        ...

    async def ready(self) -> bool:
        """Say whether the store answers now."""
        ...


class StoreKind(Struct, frozen=True, kw_only=True):
    """A kind of store, offered by the hook `gateway_stores`: `open(settings)` connects and
    closes it.
    """

    name: str
    open: Callable[[Mapping[str, Any]], AbstractAsyncContextManager[Store]]
