"""Try deployments until one answers: in order, then again after a pause, never after the first
byte.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.errors import (
    GatewayError,
    RequestError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from gateway.plugin.deployment import Deployment
from gateway.upstream.backoff import delay
from gateway.upstream.health import Health

__all__ = ["Attempts"]

T = TypeVar("T")

_MADE_ELSEWHERE = "invalid_encrypted_content"
"""What an upstream says of reasoning that it cannot decrypt: another account may have made it."""


class Attempts:
    """Runs one call on one deployment after another.

    The first round tries each deployment once, healthy ones first, without a pause: another
    deployment is the best remedy. Further rounds wait as `upstream.backoff` says and as the
    provider wishes.
    """

    def __init__(
        self,
        health: Health,
        chance: random.Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._health = health
        self._chance = chance
        self._sleep = sleep

    async def run(
        self, deployments: Sequence[Deployment], attempt: Callable[[Deployment], Awaitable[T]]
    ) -> T:
        """Return what `attempt` makes of the first deployment that answers, else raise a failure.

        A provider's refusal of the request is final, unless it concerns what another account may
        have encrypted; and so is the failure of an answer that had begun. A deployment that cannot
        do better on a second try is left out of further rounds: one that timed out, for the client
        has waited long enough, one with a wrong key, one whose dialect cannot express the request.
        """
        failure: GatewayError | None = None
        left = list(deployments)
        for count in range(1 + max([deployment.retries for deployment in deployments])):
            if not left or (count and not await self._pause(count - 1, failure)):
                break
            for deployment in self._healthy_first(left):
                if deployment not in left:
                    continue
                try:
                    return await self._once(deployment, attempt)
                except (UpstreamError, RequestError) as error:
                    if _is_final(error):
                        raise
                    failure = (
                        error if failure is None or isinstance(error, UpstreamError) else failure
                    )
                    if error.code == _MADE_ELSEWHERE:
                        left = [one for one in left if one.account != deployment.account]
                    elif count >= deployment.retries or not _worth_another_try(error):
                        left.remove(deployment)
        assert failure is not None  # the loop ends without an answer only after one
        raise failure

    async def _once(
        self, deployment: Deployment, attempt: Callable[[Deployment], Awaitable[T]]
    ) -> T:
        account = deployment.account
        self._health.began(account)
        try:
            answer = await attempt(deployment)
        except UpstreamError as error:
            self._health.failed(account, error)
            raise
        except BaseException:
            self._health.abandoned(account)
            raise
        self._health.answered(account)
        return answer

    async def _pause(self, count: int, failure: GatewayError | None) -> bool:
        wish = failure.retry_after if isinstance(failure, UpstreamError) else None
        pause = delay(count, self._chance.random(), wish)
        if pause is None:
            return False
        await self._sleep(pause)
        return True

    def _healthy_first(self, deployments: Sequence[Deployment]) -> list[Deployment]:
        if len(deployments) == 1:
            return list(deployments)
        return sorted(deployments, key=lambda found: not self._health.available(found.account))


def _is_final(error: GatewayError) -> bool:
    if isinstance(error, UpstreamRejectedError):
        return error.code != _MADE_ELSEWHERE
    return isinstance(error, UpstreamError) and error.begun


def _worth_another_try(error: GatewayError) -> bool:
    return (
        isinstance(error, UpstreamError)
        and error.retryable
        and not isinstance(error, UpstreamTimeoutError)
    )
