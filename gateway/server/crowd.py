"""Who is here, and a way to wait until nobody is."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, TypeVar

from gateway.server.limits import CLOSING_SECONDS

__all__ = ["Crowd", "see_off"]

Member = TypeVar("Member")


class Crowd(set[Member]):
    """A set that can be waited for. Members come by `add` and go by `discard`, no other way."""

    def __init__(self) -> None:
        super().__init__()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, member: Member, /) -> None:
        super().add(member)
        self._empty.clear()

    def discard(self, member: object, /) -> None:
        super().discard(member)
        if not self:
            self._empty.set()

    async def gone(self) -> None:
        """Wait until nobody is here."""
        await self._empty.wait()

    async def gone_within(self, seconds: float) -> None:
        """Wait until nobody is here, for `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone()


async def see_off(requests: Crowd[asyncio.Task[Any]]) -> None:
    """Wait for requests whose clients are gone; those that do not end of themselves are cancelled.

    Not at once: servers log a cancelled request as a bug of the application.
    """
    await requests.gone_within(CLOSING_SECONDS)
    for request in tuple(requests):
        request.cancel()
    await requests.gone_within(CLOSING_SECONDS)
