"""How many requests may be under way at once."""

from __future__ import annotations

from gateway.errors import RateLimitError

__all__ = ["Permits"]


class Permits:
    """Counts the requests under way, up to `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    def take(self) -> None:
        """Take a permit. Raises `RateLimitError` when none is left: waiting would only hide the
        overload.
        """
        if self._taken >= self._limit:
            raise RateLimitError(
                f"the gateway is handling {self._limit} requests already, try again shortly"
            )
        self._taken += 1

    def give_back(self) -> None:
        self._taken -= 1
