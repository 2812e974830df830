"""Work on a database in a thread of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from sqlite3 import Connection
from typing import Any, TypeVar

from gateway.errors import StoreError
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.thread import Thread

__all__ = ["Lane"]

T = TypeVar("T")
Work = Callable[[Connection], T]


class _Order:
    """A piece of work and who waits for it; a future that is done has nobody waiting any more."""

    __slots__ = ("_timer", "future", "work")

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self.work = work
        self.future: asyncio.Future[Any] = loop.create_future()
        # A timer is a third of what `asyncio.timeout` costs, and each response comes by here.
        self._timer = loop.call_later(timeout, self._expire, timeout)

    def settle(self, result: object) -> None:
        self._timer.cancel()
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        self._timer.cancel()
        if not self.future.done():
            self.future.set_exception(error)

    def _expire(self, timeout: float) -> None:
        self.fail(StoreError(f"the store has not answered for {timeout:g} seconds, try again"))


class Lane:
    """Owns a thread and the `database` that is used there.

    What comes in while a transaction is under way, or within `linger` seconds of it, shares the
    next one, at most `most` pieces of work at once: a commit costs more than what it commits. If
    one of them fails, the transaction is undone and each is done again in one of its own.

    A caller waits for `timeout` seconds. What has not begun by then is not done any more.
    """

    def __init__(self, database: Database, *, most: int, linger: float, timeout: float) -> None:
        self._database = database
        self._most = most
        self._linger = linger
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._thread = Thread("gateway-store")
        self._orders: deque[_Order] = deque()
        self._failed: deque[_Order] = deque()  # of a transaction that was undone
        self._busy = False
        self._next_at = 0.0

    @property
    def waiting(self) -> int:
        """How much work has not been done yet."""
        return len(self._orders) + self._busy

    async def run(self, work: Work[T]) -> T:
        """Return what `work` does. Raises what it raises, and `StoreError`."""
        order = _Order(work, self._loop, self._timeout)
        self._orders.append(order)
        if not self._busy:
            self._busy = True
            self._loop.call_at(self._next_at, self._begin)
        return await order.future

    async def empty_log(self) -> None:
        """See `Database.empty_log`."""
        await self._thread.do(self._database.empty_log)

    async def aclose(self) -> None:
        """Finish what has come in, and close the database."""
        with suppress(StoreError):
            await self.run(_nothing)
        await self._thread.do(self._database.close)
        self._thread.stop()

    def _begin(self) -> None:
        batch = self._next()
        if not batch:
            self._busy = False
            return
        self._next_at = self._loop.time() + self._linger
        work = [order.work for order in batch]
        job = self._thread.do(partial(self._database.run, partial(_all, work)))
        job.add_done_callback(partial(self._end, batch))

    def _next(self) -> Sequence[_Order]:
        """Take what is to be done next, without that which nobody waits for."""
        most, orders = (1, self._failed) if self._failed else (self._most, self._orders)
        batch: list[_Order] = []
        while orders and len(batch) < most:
            order = orders.popleft()
            if not order.future.done():
                batch.append(order)
        return batch or (self._next() if self._orders else [])

    def _end(self, batch: Sequence[_Order], job: asyncio.Future[list[Any]]) -> None:
        error = job.exception()
        if error is None:
            for order, result in zip(batch, job.result(), strict=True):
                order.settle(result)
        elif len(batch) == 1:
            batch[0].fail(error)
        else:
            self._failed.extend(batch)
        self._loop.call_at(self._next_at, self._begin)


def _all(work: Sequence[Work[Any]], connection: Connection) -> list[Any]:
    return [each(connection) for each in work]


def _nothing(connection: Connection) -> None: ...
