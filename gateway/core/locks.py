"""Locks on conversations: one response at a time may add to one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from weakref import WeakSet

from gateway.core.keeper import Keeper
from gateway.errors import ConflictError, StoreError

__all__ = ["LEASE", "Lock", "Locks"]

LEASE = 60.0
"""Seconds that a lock outlives a process which has died."""


class Lock:
    """The right to add to one conversation, until it is let go."""

    def __init__(self) -> None:
        self._unwanted = asyncio.Event()
        self._gone = asyncio.Event()
        self._left = False

    def leave(self) -> None:
        """Do nothing more for the lock: whoever goes on under the same name has it."""
        self._left = True
        self._unwanted.set()

    def let_go(self) -> None:
        """Give the lock back soon; any number of times."""
        self._unwanted.set()

    async def release(self) -> None:
        """Give the lock back, and return when somebody else may have it."""
        self._unwanted.set()
        await self._gone.wait()

    async def hold(
        self, extend: Callable[[], Awaitable[object]], give_back: Callable[[], Awaitable[None]]
    ) -> None:
        """Keep the lock until it is let go; a store that fails meanwhile lets it run out."""
        try:
            while not self._unwanted.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LEASE / 3):
                        await self._unwanted.wait()
                        break
                with suppress(StoreError):
                    await extend()
        finally:
            if not self._left:
                with suppress(StoreError):
                    await give_back()
            self._gone.set()


class Locks:
    """Takes locks in the store, renews them while they are held, and gives them back.

    `tasks` must outlive every lock; `now` tells Unix seconds.
    """

    def __init__(self, keeper: Keeper, now: Callable[[], float], tasks: asyncio.TaskGroup) -> None:
        self._keeper = keeper
        self._now = now
        self._tasks = tasks
        self._held: WeakSet[Lock] = WeakSet()

    def let_go(self) -> None:
        """Give all locks back soon."""
        for lock in self._held:
            lock.let_go()

    async def take(self, tenant: str, conversation_id: str, owner: str) -> Lock:
        """Return the lock of a conversation. Raises `ConflictError` if somebody has it."""
        lock = Lock()
        try:
            taken = await self._extend(tenant, conversation_id, owner)
        except BaseException:  # it may have been taken all the same
            lock.let_go()
            self._hold(lock, tenant, conversation_id, owner)
            raise
        if not taken:
            raise ConflictError(
                f"another response is being added to the conversation {conversation_id!r},"
                " wait for its end",
                code="conversation_locked",
                param="conversation",
            )
        self._hold(lock, tenant, conversation_id, owner)
        return lock

    def _hold(self, lock: Lock, *names: str) -> None:
        extend = partial(self._extend, *names)
        give_back = partial(self._keeper.store.unlock, *names)
        self._held.add(lock)
        self._tasks.create_task(lock.hold(extend, give_back))

    async def _extend(self, tenant: str, conversation_id: str, owner: str) -> bool:
        now = self._now()
        return await self._keeper.store.lock(
            tenant, conversation_id, owner, now=now, until=now + LEASE
        )
