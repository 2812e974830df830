"""Locks on conversations: taken once, renewed while they are held, and given back in any case."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core import locks as module
from gateway.core.keeper import Keeper
from gateway.core.locks import Locks
from gateway.errors import ConflictError, StoreError
from gateway.plugin.store import Conversation
from gateway.store.memory import MemoryStore

TENANT, TALK = "alpha", "conv_1"
SOON = 20.0


class WatchedStore(MemoryStore):
    """Tells of each time that a lock was taken or renewed; fails or stalls after it as told."""

    def __init__(self) -> None:
        super().__init__()
        self.extensions: asyncio.Queue[float] = asyncio.Queue()
        self.failing = self.stalling = False

    async def lock(
        self, tenant: str, conversation_id: str, owner: str, *, now: float, until: float
    ) -> bool:
        taken = await super().lock(tenant, conversation_id, owner, now=now, until=until)
        self.extensions.put_nowait(until)
        if self.failing:
            raise StoreError("the store is gone")
        if self.stalling:
            await asyncio.Event().wait()
        return taken


class Clock:
    """Goes on by a second with every look at it."""

    def __init__(self) -> None:
        self._seconds = 1000.0

    def __call__(self) -> float:
        self._seconds += 1
        return self._seconds


@pytest.fixture
async def store() -> WatchedStore:
    store = WatchedStore()
    await store.create_conversation(Conversation(id=TALK, tenant=TENANT, created_at=1), ())
    return store


def locks_of(store: WatchedStore, tasks: asyncio.TaskGroup) -> Locks:
    clock = Clock()
    return Locks(Keeper(store, retention=1, now=clock), clock, tasks)


async def is_free(store: MemoryStore) -> bool:
    return await MemoryStore.lock(store, TENANT, TALK, "another", now=1000, until=1001)


async def test_a_lock_is_taken_once_and_free_after_its_release(store: WatchedStore) -> None:
    async with asyncio.TaskGroup() as tasks:
        locks = locks_of(store, tasks)
        lock = await locks.take(TENANT, TALK, "one")
        with pytest.raises(ConflictError, match=TALK):
            await locks.take(TENANT, TALK, "two")
        await lock.release()
        await (await locks.take(TENANT, TALK, "two")).release()
    assert await is_free(store)


async def test_a_lock_is_renewed_for_as_long_as_it_is_held(
    store: WatchedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE", 0.03)
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as tasks:
        lock = await locks_of(store, tasks).take(TENANT, TALK, "one")
        first = await store.extensions.get()
        store.failing = True  # a store that fails for a while is asked again
        assert await store.extensions.get() > first
        store.failing = False
        assert await store.extensions.get() > first + 1
        lock.let_go()
    assert await is_free(store)


async def test_all_locks_are_let_go_at_once(store: WatchedStore) -> None:
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as tasks:
        locks = locks_of(store, tasks)
        lock = await locks.take(TENANT, TALK, "one")
        locks.let_go()
        await lock.release()
    assert await is_free(store)


async def test_a_client_that_leaves_while_a_lock_is_taken_leaves_none(store: WatchedStore) -> None:
    store.stalling = True
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as tasks:
        taking = asyncio.ensure_future(locks_of(store, tasks).take(TENANT, TALK, "one"))
        await store.extensions.get()
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
    assert await is_free(store)


async def test_a_store_that_took_a_lock_without_saying_so_gives_it_back(
    store: WatchedStore,
) -> None:
    store.failing = True
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as tasks:
        with pytest.raises(StoreError):
            await locks_of(store, tasks).take(TENANT, TALK, "one")
    assert await is_free(store)
