"""The events of one response on their way into the store, in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from gateway.core.background.bells import Bells
from gateway.core.background.pace import pause
from gateway.core.background.telling import Frames, ends
from gateway.errors import RateLimitError, StoreError
from gateway.plugin.store import Record, Store, StoredItem

__all__ = ["Journal", "Post", "persistently"]

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0  # seconds

T = TypeVar("T")


class Post(Struct, frozen=True, kw_only=True):
    """Where events go: the store, in whose name, who is told, and the seconds between batches."""

    store: Store
    owner: str
    bells: Bells
    batch: float


class Journal:
    """Writes the events of one response. `record` says how it stands while they come, and `last` is
    the number of the last event that there is.

    The terminal event is held back: `finish` writes it together with the response that it shows.
    """

    def __init__(self, post: Post, record: Record, last: int) -> None:
        self._post = post
        self._record = record
        self.last = last
        self._pending: list[tuple[int, bytes]] = []
        self._end: Frames = ()
        self._news = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether the terminal event has come."""
        return bool(self._end)

    def put(self, frames: Frames) -> None:
        """Take what is to be written; events that there are already are passed over."""
        for number, frame in frames:
            if number > self.last:
                self.last = number
                if ends(frame):
                    self._end = ((number, frame),)
                else:
                    self._pending.append((number, frame))
                    self._news.set()

    async def write(self, lost: Callable[[], None]) -> None:
        """Write what comes until `close`; tell `lost` and stop when the work is another's."""
        while not self._closed.is_set():
            await self._news.wait()
            self._news.clear()
            if self._pending and not await self._append():
                lost()
                return
            await pause(self._closed, self._post.batch)

    def close(self) -> None:
        """Let `write` end after what it is about: the rest is for `finish`."""
        self._closed.set()
        self._news.set()

    async def finish(self, record: Record, outputs: Sequence[StoredItem]) -> None:
        """Write the end, unless the work is another's by now."""
        frames = (*self._pending, *self._end)
        store, owner = self._post.store, self._post.owner
        await persistently(lambda: store.finish(owner, record, outputs, frames))

    async def _append(self) -> bool:
        frames = tuple(self._pending)
        store, owner = self._post.store, self._post.owner
        if not await persistently(lambda: store.append(owner, self._record, frames)):
            return False
        del self._pending[: len(frames)]
        self._post.bells.ring(self._record.id)
        return True


async def persistently(step: Callable[[], Awaitable[T]]) -> T:
    """Return what `step` gives, however long the store does not answer or there is no room."""
    wait = _FIRST_WAIT
    while True:
        try:
            return await step()
        except (StoreError, RateLimitError):
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
