"""Rules for marks: of all who write one down, one is told that it is new."""

from __future__ import annotations

import asyncio

import pytest

from gateway.plugin import Store
from gateway.testing.store_responses import Reopen
from gateway.testing.store_samples import LATER, TENANT, context, empty, save

__all__ = ["MarkRules"]


async def mark(
    store: Store, name: str, *, tenant: str = TENANT, now: float = 0.0, until: float = LATER
) -> bool:
    return await store.mark(tenant, name, now=now, until=until)


class MarkRules:
    """Each counts once, for one tenant, until it expires."""

    pytestmark = pytest.mark.asyncio

    async def test_a_mark_is_new_once(self, store: Store) -> None:
        assert [await mark(store, "one") for _ in range(3)] == [True, False, False]
        assert await mark(store, "two")

    async def test_of_50_who_mark_at_once_one_is_told_that_it_is_new(self, store: Store) -> None:
        for name in ("one", "two", "three"):
            told = await asyncio.gather(*(mark(store, name) for _ in range(50)))
            assert sorted(told) == [False] * 49 + [True]

    async def test_of_50_who_mark_anew_what_has_expired_one_is_told_so(self, store: Store) -> None:
        assert await mark(store, "one", until=100.0)
        told = await asyncio.gather(*(mark(store, "one", now=100.0) for _ in range(50)))
        assert sorted(told) == [False] * 49 + [True]

    async def test_a_mark_is_there_for_its_tenant_only(self, store: Store) -> None:
        assert await mark(store, "one")
        assert await mark(store, "one", tenant="rival")
        assert not await mark(store, "one", tenant="rival")

    async def test_a_mark_counts_until_it_expires(self, store: Store) -> None:
        assert await mark(store, "one", until=100.0)
        assert not await mark(store, "one", now=99.9, until=LATER)
        assert await mark(store, "one", now=100.0, until=200.0)
        assert not await mark(store, "one", now=199.9)

    async def test_marks_are_purged_when_they_expire(self, store: Store) -> None:
        assert await mark(store, "old", until=100.0)
        assert await mark(store, "old", tenant="rival", until=100.0)
        assert await mark(store, "new", until=200.0)
        assert await store.purge(99.9) == 0
        assert await empty(store, 100.0) == 2
        assert not await mark(store, "new")
        assert await mark(store, "old"), "what is purged is not there, whatever the time is"

    async def test_many_marks_are_purged_though_it_may_take_several_steps(
        self, store: Store
    ) -> None:
        await asyncio.gather(*(mark(store, f"m{n}", until=100.0) for n in range(1200)))
        await save(store, "one", "q", "a")
        assert await empty(store, 100.0) == 1200
        assert await context(store, "one") == "q | a"

    async def test_marks_outlive_a_restart(self, store: Store, reopen: Reopen) -> None:
        if reopen is None:
            pytest.skip("this store keeps nothing for longer than its process")
        assert await mark(store, "one")
        async with reopen() as again:
            assert not await mark(again, "one")
