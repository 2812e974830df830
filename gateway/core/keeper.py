"""The store as the engine sees it: there or not, answering or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, cast

from gateway.errors import InvalidRequestError, StoreError
from gateway.plugin.store import Origin, Record, Store

__all__ = ["Keeper", "StoreState"]

StoreState = Literal["ok", "unavailable", "none"]
"""What an operator wants to know of the store; none if the gateway is to keep nothing."""

_PATIENCE = 1.0  # seconds for a store that did not answer the last time, or that is only greeted
_PAUSE = 1.0  # seconds between two trials of a store that does not answer
_TRIAL = Record(
    id="resp_trial", tenant="", created_at=0, expires_at=0, status="", model="", body=b"{}"
)

_log = logging.getLogger("gateway")


class Keeper:
    """Owns what is known of the store: whether the operator wants one, and whether it answers.

    `retention` is in seconds. A store that fails is logged once, and once more when it is back.
    Until then it is asked with little patience, so that it holds nobody up for long.
    """

    def __init__(self, store: Store | None, *, retention: float, now: Callable[[], float]) -> None:
        self._bare = store
        self._store = cast("Store", _Watched(store, self)) if store else None
        self._retention = retention
        self._now = now
        self._failing = asyncio.Event()

    @property
    def keeps(self) -> bool:
        """Whether there is a store at all."""
        return self._store is not None

    @property
    def answers(self) -> bool:
        """Whether the store did what it was asked for, as far as is known."""
        return not self._failing.is_set()

    @property
    def store(self) -> Store:
        """The store. Raises `InvalidRequestError` if the operator wants none."""
        if self._store is None:
            raise InvalidRequestError(
                "this gateway keeps nothing: its operator has set state.store to none",
                code="unsupported_parameter",
            )
        return self._store

    def insist(self) -> None:
        """Raise `InvalidRequestError` or `StoreError` if no response can be kept now: before an
        upstream is asked, for that costs money.
        """
        if self._store is None:
            raise InvalidRequestError(
                "this gateway keeps no responses: leave store out or send false",
                code="unsupported_parameter",
                param="store",
            )
        if not self.answers:
            raise StoreError(
                "the store does not answer, so the response cannot be kept:"
                " try again later, or leave store out"
            )

    def expiry(self) -> float:
        """Return when what is written now expires, in Unix seconds."""
        return self._now() + self._retention

    async def state(self) -> StoreState:
        """Say how the store is now. One that is known to fail is left to `watch`."""
        if self._bare is None:
            return "none"
        if self.answers:
            await self._greet(self._bare)
        return "ok" if self.answers else "unavailable"

    async def watch(self) -> None:
        """Try the store now, and again whenever it has failed until it is back; never returns."""
        if self._bare is None:
            return
        while True:
            await self._try(self._bare)
            if not self.answers:
                await asyncio.sleep(_PAUSE)
            await self._failing.wait()

    def failed(self, problem: str) -> None:
        """Note that the store has failed."""
        if self.answers:
            _log.error("the store does not answer: %s", problem)
            self._failing.set()

    async def _greet(self, store: Store) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                if not await store.ready():
                    self.failed("it is not ready")
        except TimeoutError:
            self.failed("it takes too long to say whether it is ready")

    async def _try(self, store: Store) -> None:
        """Write something, and take it away: a store that can only be read is no use."""
        try:
            await store.save(_TRIAL, Origin(), (), ())
            await store.delete(_TRIAL.tenant, _TRIAL.id)
        except StoreError as error:
            self.failed(error.message)
            return
        if not self.answers:
            _log.warning("the store answers again")
            self._failing.clear()


class _Watched:
    """A store whose failures are noted."""

    def __init__(self, store: Store, keeper: Keeper) -> None:
        self._store = store
        self._keeper = keeper

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._ask, name)

    async def _ask(self, name: str, *parts: Any, **options: Any) -> Any:
        method = getattr(self._store, name)
        if not self._keeper.answers:
            return await _ask_hastily(partial(method, *parts, **options))
        try:
            return await method(*parts, **options)
        except StoreError as error:
            self._keeper.failed(error.message)
            raise


async def _ask_hastily(method: Callable[[], Awaitable[Any]]) -> Any:
    """Try it, though the store did not answer before."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await method()
    except TimeoutError:
        raise StoreError("the store does not answer in time, try again later") from None
