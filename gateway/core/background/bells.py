"""Who wants to hear of new events of a response, in this process."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

__all__ = ["Bells"]


class Bells:
    """One bell for each response that somebody listens to; it goes with the last listener."""

    def __init__(self) -> None:
        self._bells: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def listen(self, response_id: str) -> asyncio.Event:
        """Return what is set at the next news. Listen before you look, or you may miss some."""
        bell = self._bells.get(response_id)
        if bell is None:
            self._bells[response_id] = bell = asyncio.Event()
        return bell

    def ring(self, response_id: str) -> None:
        """Wake all who listen; who wants to hear more listens anew."""
        if bell := self._bells.pop(response_id, None):
            bell.set()
