"""What counts once: written down in the store, or in this process where there is no store."""

from __future__ import annotations

from collections import defaultdict

from gateway.core.keeper import Keeper
from gateway.errors import RateLimitError

__all__ = ["Marks"]

_MOST = 10_000  # of one tenant, without a store


class Marks:
    """Owns the names that have been used. There is one for all requests of the process.

    With a store a name counts once for all who share it. Without one it counts once in each
    process, and anew after a restart: an operator who runs several wants a store.
    """

    def __init__(self, keeper: Keeper, most: int = _MOST) -> None:
        """Without a store, keep at most so many names of one tenant, of which none is forgotten
        early.
        """
        self._keeper = keeper
        self._most = most
        self._until: defaultdict[str, dict[str, float]] = defaultdict(dict)

    async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
        """Use `name` until then, and say whether it was unused.

        Raises `StoreError`, after which it may be used or not, and without a store `RateLimitError`
        if `tenant` has used too many.
        """
        if self._keeper.keeps:
            return await self._keeper.store.mark(tenant, name, now=now, until=until)
        used = self._until[tenant]
        if used.get(name, now) > now:
            return False
        if len(used) >= self._most:
            used = self._until[tenant] = {key: end for key, end in used.items() if end > now}
        if len(used) >= self._most:
            raise RateLimitError("too many approvals in too short a time, try again later")
        used[name] = until
        return True
