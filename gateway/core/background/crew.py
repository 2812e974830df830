"""The workers of one process: they take up work, keep it, and give back what they cannot end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

from gateway.core.background.pace import Pace, pause
from gateway.core.background.work import Work, Workshop, guarded
from gateway.errors import StoreError
from gateway.plugin.store import Job

__all__ = ["Crew"]

_LONG_AGO = 0.0


class Crew:
    """An async context manager: entering it begins to look for work, leaving it lets the work under
    way finish in time. `now` tells Unix seconds; `tasks` is entered and left with it.
    """

    def __init__(
        self, workshop: Workshop, pace: Pace, now: Callable[[], float], tasks: asyncio.TaskGroup
    ) -> None:
        self._workshop = workshop
        self._store = workshop.post.store
        self._owner = workshop.post.owner
        self._pace = pace
        self._now = now
        self._tasks = tasks
        self._works: dict[str, Work] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._draining: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._looking = self._tasks.create_task(self._look_for_work())
        self._beating = self._tasks.create_task(self._beat())
        return self

    async def __aexit__(self, *exception: object) -> None:
        draining = self._draining or self._begin_to_drain()
        await asyncio.wait([self._looking, draining])
        if self._working:
            await asyncio.wait(self._working, timeout=self._pace.farewell)
        for task in self._working:
            task.cancel()
        self._beating.cancel()
        await self._tasks.__aexit__(None, None, None)
        await self._give_back(self._works)

    def stop(self) -> None:
        """Take up no more work and let that under way finish in time; at once the second time."""
        if self._draining is None:
            self._begin_to_drain()
        else:
            self._draining.cancel()
            self._cut()

    def wake(self) -> None:
        """Look for work now."""
        self._news.set()

    def cancel(self, response_id: str) -> None:
        """End a response at once, if it is made here."""
        if work := self._works.get(response_id):
            work.interrupt("cancelled")

    async def claim(self, response_id: str = "") -> Job | None:
        """Take up work: that on one response if so wanted, else the oldest there is."""
        now = self._now()
        return await self._store.claim(
            self._owner, now=now, until=now + self._pace.lease, response_id=response_id
        )

    def _begin_to_drain(self) -> asyncio.Task[None]:
        self._draining = self._tasks.create_task(self._drain())
        self.wake()
        return self._draining

    async def _drain(self) -> None:
        """Let the work under way finish, and interrupt what takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.drain):
                await asyncio.wait([self._looking])
                if self._working:
                    await asyncio.wait(self._working)
        self._cut()

    def _cut(self) -> None:
        for work in self._works.values():
            work.interrupt("stopped")

    async def _look_for_work(self) -> None:
        while self._draining is None:
            self._news.clear()
            await guarded(self._take_up)
            await pause(self._news, self._pace.poll)

    async def _take_up(self) -> None:
        """Take up all the work that there is and that there are hands for."""
        with suppress(StoreError):
            while self._draining is None and len(self._works) < self._pace.workers:
                job = await self.claim()
                if job is None:
                    return
                self._begin(job)

    def _begin(self, job: Job) -> None:
        work = self._works[job.response_id] = Work(job, self._workshop)
        task = self._tasks.create_task(self._do(work))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _do(self, work: Work) -> None:
        await guarded(lambda: self._finish(work))
        self._works.pop(work.response_id, None)

    async def _finish(self, work: Work) -> None:
        ended = await work.run()
        del self._works[work.response_id]
        if ended:
            self.wake()
        else:
            await self._give_back([work.response_id])

    async def _give_back(self, response_ids: Iterable[str]) -> None:
        """Let others take up work now that this process will not end."""
        if wanted := [*response_ids]:
            with suppress(StoreError):
                await self._store.renew(self._owner, wanted, until=_LONG_AGO)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._pace.beat)
            await guarded(self._renew)

    async def _renew(self) -> None:
        """Keep what is under way, and learn what is not to go on."""
        wanted = [*self._works]
        if not wanted:
            return
        with suppress(StoreError):
            kept = await self._store.renew(
                self._owner, wanted, until=self._now() + self._pace.lease
            )
            for response_id in wanted:
                if (work := self._works.get(response_id)) is None:
                    continue
                if response_id not in kept:
                    work.interrupt("lost")
                elif kept[response_id]:
                    work.interrupt("cancelled")
