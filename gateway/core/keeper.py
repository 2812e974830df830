"""The store as the engine sees it: there or not, answering or not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from gateway.errors import InvalidRequestError, StoreError
from gateway.plugin.store import Store

__all__ = ["Keeper"]

_log = logging.getLogger("gateway")


class Keeper:
    """Owns what is known of the store: whether the operator wants one, and whether it answers.

    `retention` is in seconds. A store that fails is logged once, and once more when it is back.
    """

    def __init__(self, store: Store | None, *, retention: float, now: Callable[[], float]) -> None:
        self._bare = store
        self._store = cast("Store", _Watched(store, self._noted)) if store else None
        self._retention = retention
        self._now = now
        self.answers = True
        """Whether the store did what it was last asked for."""

    @property
    def keeps(self) -> bool:
        """Whether there is a store at all."""
        return self._store is not None

    @property
    def store(self) -> Store:
        """The store. Raises `InvalidRequestError` if the operator wants none."""
        if self._store is None:
            raise InvalidRequestError(
                "this gateway keeps nothing: its operator has set state.store to none",
                code="unsupported_parameter",
            )
        return self._store

    def expiry(self) -> float:
        """Return when what is written now expires, in Unix seconds."""
        return self._now() + self._retention

    async def ready(self) -> bool:
        """Say whether the store answers now; a gateway that keeps nothing needs none."""
        if self._bare is None:
            return True
        self._noted(await self._bare.ready())
        return self.answers

    def _noted(self, answers: bool, /, problem: str = "") -> None:
        if answers and not self.answers:
            _log.warning("the store answers again")
        elif self.answers and not answers:
            _log.error("the store does not answer%s", f": {problem}" if problem else "")
        self.answers = answers


class _Watched:
    """A store, each of whose answers and failures is noted."""

    def __init__(self, store: Store, noted: Callable[..., None]) -> None:
        self._store = store
        self._noted = noted

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._ask, getattr(self._store, name))

    async def _ask(self, method: Callable[..., Any], *parts: Any, **options: Any) -> Any:
        try:
            answer = await method(*parts, **options)
        except StoreError as error:
            self._noted(False, error.message)
            raise
        self._noted(True)
        return answer
