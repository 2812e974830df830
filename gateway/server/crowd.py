"""Who is here, and a way to wait until nobody is."""

from __future__ import annotations

import asyncio
from typing import TypeVar

__all__ = ["Crowd"]

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
        try:
            async with asyncio.timeout(seconds):
                await self.gone()
        except TimeoutError:
            return
