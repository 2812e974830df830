"""What the gateway keeps between requests: the store, and all that stands on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Self

from gateway.config import Config
from gateway.core.background import Background
from gateway.core.background.work import guarded
from gateway.core.conversations import Conversations
from gateway.core.history import Histories
from gateway.core.intake import Intake
from gateway.core.keeper import Keeper
from gateway.core.kept import Kept
from gateway.core.locks import Locks
from gateway.core.tool_loop.marks import Marks
from gateway.core.turn import Turn
from gateway.errors import ConfigError, NotFoundError, StoreError
from gateway.ids import Ids
from gateway.plugin.manager import Plugins
from gateway.plugin.store import StoreKind, StoreSettings
from gateway.store import BUILT_IN
from gateway.types.items import InputItem

__all__ = ["State"]

_DAY = 86400.0
_NONE = "none"
_PURGE_SECONDS = 60.0


class State:
    """Owns the store of one engine. Open it as a context manager before the first request.

    Raises `ConfigError` for a store that no plugin offers; one that does not answer is no error,
    for it may come back.
    """

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        ids: Ids,
        background: Callable[[Keeper], Background],
    ) -> None:
        """`background` makes responses that nobody waits for."""
        self._settings = config.state
        self._kind = _kind(config.state.store, plugins)
        self._ids = ids
        self._background = background
        self._resources = AsyncExitStack()
        self._tasks = asyncio.TaskGroup()
        self._set_up(Keeper(None, retention=0, now=ids.now))

    def _set_up(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.marks = Marks(keeper)
        self.background = self._background(keeper)
        self.kept = Kept(keeper, self.background)
        self.conversations = Conversations(keeper, self._ids)
        self._histories = Histories(keeper)
        self._locks = Locks(keeper, self._ids.now, self._tasks)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:
            if self._kind is not None:
                store = await resources.enter_async_context(
                    self._kind.open(
                        StoreSettings(
                            directory=self._settings.directory,
                            url=self._settings.url.reveal(),
                            timeout=self._settings.timeout,
                        )
                    )
                )
                retention = self._settings.retention_days * _DAY
                self._set_up(Keeper(store, retention=retention, now=self._ids.now))
                await resources.enter_async_context(self._tasks)
                resources.callback(self._locks.let_go)
                for upkeep in (self.keeper.watch, self._purge):
                    resources.callback(self._tasks.create_task(_keep_up(upkeep)).cancel)
                await resources.enter_async_context(self.background)
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._resources.aclose()

    async def turn(
        self,
        intake: Intake,
        *,
        here: bool,
        brought: tuple[InputItem, ...] = (),
        response_id: str = "",
    ) -> Turn | None:
        """Return the place of a create request in what is kept, or None if it has none here.

        `here` says that it may be for the gateway to keep it, `response_id` that the response has
        been queued under that id, `brought` is the history that comes from elsewhere. Raises what
        `Turn.open` raises.
        """
        if not (here or brought or intake.kept_previous_id or intake.conversation_id):
            return None
        turn = Turn(intake, self.keeper, self._ids, brought=brought, response_id=response_id)
        try:
            await turn.open(intake, self._histories, self._locks)
        except NotFoundError as error:
            if error.param == "conversation" and not here:
                return None  # it may be one of the upstream's own
            raise
        return turn

    async def _purge(self) -> None:
        """Forget what has expired, a little at a time."""
        while True:
            with suppress(StoreError):
                if await self.keeper.store.purge(self._ids.now()):
                    continue
            await asyncio.sleep(_PURGE_SECONDS)


async def _keep_up(upkeep: Callable[[], Awaitable[None]]) -> None:
    """Do what is always to be done; a store that breaks its contract must not end it for good."""
    while True:
        await guarded(upkeep)
        await asyncio.sleep(_PURGE_SECONDS)


def _kind(name: str, plugins: Plugins) -> StoreKind | None:
    if name == _NONE:
        return None
    kinds = {**BUILT_IN, **plugins.stores()}
    if name not in kinds:
        raise ConfigError(
            f"state.store: no installed plugin offers the store {name!r};"
            f" known are {', '.join(sorted((*kinds, _NONE)))}"
        )
    return kinds[name]
