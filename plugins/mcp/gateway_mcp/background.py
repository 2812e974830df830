"""Work that outlives the request which caused it, but not the client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self

__all__ = ["Background"]


class Background:
    """Owns tasks from its start to its end, when those that still run are cancelled.

    What they do must not raise anything but `CancelledError`: it would end all of them.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._open = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._open = False
        for task in tuple(self._tasks):
            task.cancel()
        await self._group.__aexit__(None, None, None)  # else it would wrap the error

    def start(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Begin `work`, unless the end has come already, and return what ends it before."""
        if not self._open:
            work.close()
            return work.close
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task.cancel
