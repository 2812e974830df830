"""Processes of the gateway's own: started when they are needed, stopped with the gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Self

from gateway.errors import GatewayError, UpstreamUnreachableError
from gateway.plugin.deployment import Deployment

__all__ = ["Launch", "Launcher"]

Launch = Callable[[Deployment], AbstractAsyncContextManager[str]]

_log = logging.getLogger(__name__)


class Launcher:
    """Owns what the providers' `launch` starts, at most one for each (account, model, quirks).

    Each launched context is entered and left in one task of its own, because it may hold scopes
    that belong to a task. Use it as an async context manager.
    """

    def __init__(self) -> None:
        self._tasks = asyncio.TaskGroup()
        self._launched: list[_Launched] = []
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_exit(self._tasks)
            await self.aclose()

    async def base_url(self, deployment: Deployment, launch: Launch) -> str:
        """Return where `deployment` is served, having started it with `launch` if it does not run.

        Callers that come while it starts wait for that same start, which goes on if they leave.
        Raises what `launch` raises if that is a `GatewayError`, else `UpstreamUnreachableError`;
        the next call tries anew.
        """
        if self._closed:
            raise UpstreamUnreachableError(f"{deployment.provider} is not started any more")
        launched = self._find(deployment)
        if launched is None:
            predecessors = tuple(one for one in self._launched if one.serves(deployment))
            launched = _Launched(deployment)
            self._launched.append(launched)
            self._tasks.create_task(self._keep(launched, launch, predecessors))
        return await asyncio.shield(launched.address)

    def forget(self, deployment: Deployment) -> None:
        """Stop what serves `deployment` and cannot be reached: the next use starts anew.

        If `deployment` holds the address of one that has been replaced by now, nothing happens.
        """
        launched = self._find(deployment)
        if launched is not None and launched.is_meant_by(deployment):
            launched.stop()

    async def aclose(self) -> None:
        """Stop everything, the last started first."""
        self._closed = True
        for launched in reversed(tuple(self._launched)):
            launched.stop()
            await launched.stopped.wait()

    def _find(self, deployment: Deployment) -> _Launched | None:
        return next(
            (one for one in self._launched if one.serves(deployment) and not one.stopping),
            None,
        )

    async def _keep(
        self, launched: _Launched, launch: Launch, predecessors: Iterable[_Launched]
    ) -> None:
        for predecessor in predecessors:
            await predecessor.stopped.wait()  # two at once would fight for memory and ports
        # Whatever a plugin raises is told to those who wait for it, and ends no other task.
        [outcome] = await asyncio.gather(launched.hold(launch), return_exceptions=True)
        self._launched.remove(launched)
        launched.end(outcome)


class _Launched:
    """One process: it starts, runs until it is told to stop, and is gone when `stopped` is set."""

    def __init__(self, deployment: Deployment) -> None:
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.stopped = asyncio.Event()
        self._deployment = deployment
        self._stop = asyncio.Event()
        self._start: asyncio.Task[Any] | None = None

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def serves(self, deployment: Deployment) -> bool:
        return _identity(deployment) == _identity(self._deployment)

    def is_meant_by(self, deployment: Deployment) -> bool:
        """Say whether `deployment`, located or not, is not one that a predecessor served."""
        if deployment.base_url == self._deployment.base_url:
            return True
        return self.address.done() and self.address.result() == deployment.base_url

    def stop(self) -> None:
        """Begin to stop; a start that is under way is cut short."""
        self._stop.set()
        if self._start is not None:
            self._start.cancel()

    async def hold(self, launch: Launch) -> None:
        """Start, tell the address, and stay until told to stop."""
        if self.stopping:
            return
        self._start = asyncio.current_task()
        async with launch(self._deployment) as address:
            self._start = None
            self.address.set_result(address)
            await self._stop.wait()

    def end(self, outcome: BaseException | None) -> None:
        """Tell those who wait for the address that there is none, and that all is over."""
        if not self.address.done():
            self.address.set_exception(self._failure(outcome))
            self.address.exception()  # nobody need be waiting
        elif outcome is not None:
            _log.warning("%s did not stop cleanly", self._deployment.provider, exc_info=outcome)
        self.stopped.set()

    def _failure(self, outcome: BaseException | None) -> GatewayError:
        if isinstance(outcome, GatewayError):
            return outcome
        name = f"{self._deployment.provider}/{self._deployment.model}"
        reason = "it was told to stop" if self.stopping else outcome
        failure = UpstreamUnreachableError(f"{name} could not be started: {reason}")
        failure.__cause__ = outcome
        return failure


def _identity(deployment: Deployment) -> tuple[object, ...]:
    """Return what makes one process enough for two deployments; not their alias, for one."""
    return (deployment.provider, deployment.account, deployment.model, deployment.quirks)
