"""Without a store names count once in the process, and so many of them; with one it decides."""

from __future__ import annotations

import pytest

from gateway.core.keeper import Keeper
from gateway.core.tool_loop.marks import Marks
from gateway.errors import RateLimitError, StoreError
from gateway.store.memory import MemoryStore


class LostStore(MemoryStore):
    """Does not answer when something is to be marked."""

    async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
        raise StoreError("the store is gone")


def keeper_of(store: MemoryStore | None) -> Keeper:
    return Keeper(store, retention=1, now=lambda: 0.0)


async def test_without_a_store_a_name_counts_once_until_it_expires() -> None:
    marks = Marks(keeper_of(None))
    assert await marks.mark("acme", "one", now=0, until=100)
    assert not await marks.mark("acme", "one", now=99.9, until=200)
    assert await marks.mark("rival", "one", now=0, until=100)
    assert await marks.mark("acme", "one", now=100, until=200)
    assert not await marks.mark("acme", "one", now=100, until=200)


async def test_without_a_store_a_tenant_has_so_many_names_and_none_is_forgotten_early() -> None:
    marks = Marks(keeper_of(None), most=2)
    assert await marks.mark("acme", "one", now=0, until=100)
    assert await marks.mark("acme", "two", now=0, until=200)
    with pytest.raises(RateLimitError, match="too many approvals"):
        await marks.mark("acme", "three", now=99, until=300)
    assert not await marks.mark("acme", "one", now=99, until=300)
    assert await marks.mark("rival", "three", now=99, until=300)
    assert await marks.mark("acme", "three", now=100, until=300)
    assert not await marks.mark("acme", "two", now=100, until=300)


async def test_with_a_store_all_who_share_it_share_the_names() -> None:
    store = MemoryStore()
    assert await Marks(keeper_of(store)).mark("acme", "one", now=0, until=100)
    assert not await Marks(keeper_of(store)).mark("acme", "one", now=0, until=100)


async def test_a_store_that_fails_to_mark_is_known_to_fail() -> None:
    keeper = keeper_of(LostStore())
    with pytest.raises(StoreError, match="the store is gone"):
        await Marks(keeper).mark("acme", "one", now=0, until=100)
    assert not keeper.answers
