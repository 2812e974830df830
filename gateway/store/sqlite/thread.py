"""A thread of the store's own.

Not an executor of the standard library: those refuse work once the interpreter has begun to end,
and that is when the SDK closes its store.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["Thread"]

T = TypeVar("T")


class Thread:
    """Does one thing after another, away from the event loop that it was made on."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Return what `work` will have returned, or raised, when its turn has come."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._work.put(partial(self._do, work, future))
        return future

    def stop(self) -> None:
        """End the thread. It has nothing left to do by then, so this takes no time."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()

    def _do(self, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        try:
            settle = partial(_settle, future.set_result, work())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it, as in a task
            settle = partial(_settle, future.set_exception, error)
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(settle, future)


def _settle(tell: Callable[[Any], None], outcome: object, future: asyncio.Future[Any]) -> None:
    if not future.done():
        tell(outcome)
