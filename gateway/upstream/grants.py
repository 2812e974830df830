"""Credentials that expire: fetched once for all who wait, and renewed before anybody has to."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self

from gateway.errors import GatewayError, UpstreamAuthenticationError
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import UpstreamRequest
from gateway.plugin.provider import Grant

__all__ = ["Fetch", "Grants"]

Fetch = Callable[[Deployment], Grant]

_log = logging.getLogger(__name__)

_AHEAD = 0.2  # of the time that a grant lasts
_AT_MOST_AHEAD = 300.0  # seconds
_ANOTHER_TRY = 30.0  # seconds after a renewal that failed


class Grants:
    """Owns one grant for each account that needs one. Use it as an async context manager.

    A grant is renewed ahead of its end if anybody has used it; one that nobody uses lapses.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._tasks = asyncio.TaskGroup()
        self._accounts: dict[str, _Account] = {}
        self._keepers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def sign(
        self, deployment: Deployment, fetch: Fetch, request: UpstreamRequest
    ) -> Mapping[str, str]:
        """Return the headers that authenticate `request`.

        Raises `UpstreamAuthenticationError` if there is no grant to be had, or not within the
        time that a connection may take.
        """
        account = self._accounts.get(deployment.account)
        if account is None:
            account = self._accounts[deployment.account] = _Account(deployment, fetch, self._now)
            keeper = self._tasks.create_task(self._keep(account))
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)
        seconds = deployment.timeouts.connect
        try:
            async with asyncio.timeout(seconds):
                grant = await account.grant()
        except TimeoutError:
            raise UpstreamAuthenticationError(
                f"the credentials for {deployment.provider} did not come within {seconds:g} seconds"
            ) from None
        return grant.sign(request)

    async def _keep(self, account: _Account) -> None:
        while await account.renew():
            await account.rest()
        del self._accounts[account.name]
        account.end()


class _Account:
    """The grant of one account, as it is now, and the next one."""

    def __init__(self, deployment: Deployment, fetch: Fetch, now: Callable[[], float]) -> None:
        self.name = deployment.account
        self._deployment = deployment
        self._fetch = fetch
        self._now = now
        self._grant: Grant | None = None
        self._failure: GatewayError | None = None
        self._pause: float | None = 0.0
        self._used = True
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()

    async def grant(self) -> Grant:
        self._used = True
        if self._grant is not None and self._lasts(self._grant):
            return self._grant
        self._wanted.set()
        return await asyncio.shield(self._next)

    async def renew(self) -> bool:
        """Fetch the next grant; say whether to go on with the account."""
        if not self._used:
            return False
        self._used = False
        self._wanted.clear()
        fetched = asyncio.to_thread(self._fetch, self._deployment)
        [outcome] = await asyncio.gather(fetched, return_exceptions=True)
        if isinstance(outcome, Grant):
            self._take(outcome)
            return True
        self._failure = self._as_failure(outcome)
        _log.warning("%s", self._failure.message)
        self._pause = _ANOTHER_TRY
        return self._grant is not None and self._lasts(self._grant)

    async def rest(self) -> None:
        """Wait until it is time to renew, or until somebody needs what has expired."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await self._wanted.wait()

    def end(self) -> None:
        """Tell those who wait for the next grant, if any do, why there is none."""
        if self._failure is not None:
            self._next.set_exception(self._failure)
            self._next.exception()  # nobody need be waiting

    def _take(self, grant: Grant) -> None:
        self._grant = grant
        self._pause = None
        if grant.expires_at is not None:
            left = max(0.0, grant.expires_at - self._now())
            self._pause = left - min(left * _AHEAD, _AT_MOST_AHEAD)
        told, self._next = self._next, asyncio.get_running_loop().create_future()
        told.set_result(grant)

    def _lasts(self, grant: Grant) -> bool:
        return grant.expires_at is None or grant.expires_at > self._now()

    def _as_failure(self, outcome: object) -> GatewayError:
        if isinstance(outcome, GatewayError):
            return outcome
        reason = type(outcome).__name__
        failure = UpstreamAuthenticationError(
            f"the credentials for {self._deployment.provider} could not be fetched: {reason}"
        )
        if isinstance(outcome, BaseException):  # a plugin may have returned anything
            failure.__cause__ = outcome
        return failure
