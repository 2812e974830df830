"""Credentials that expire: fetched once, renewed ahead, and told of when they are not to be had."""

import asyncio
import threading
import time

import pytest
from msgspec.structs import replace

from gateway.errors import UpstreamAuthenticationError
from gateway.plugin import Deployment, Grant, Timeouts, UpstreamRequest
from gateway.upstream.grants import Grants

CLOUD = Deployment(alias="m", provider="cloud", model="m", account="acct_1")
REQUEST = UpstreamRequest(url="http://127.0.0.1:1/")


class Issuer:
    """A `fetch` that numbers its grants, each of which lasts for `seconds`; None is for ever."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.count = 0
        self.failure: Exception | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Semaphore(0)

    def __call__(self, deployment: Deployment) -> Grant:
        self.count += 1
        number = self.count
        self._loop.call_soon_threadsafe(self._asked.release)
        self.may_answer.wait()
        if self.failure:
            raise self.failure
        expires_at = None if self.seconds is None else time.time() + self.seconds
        return Grant(sign=lambda request: {"token": f"{number}"}, expires_at=expires_at)

    async def was_asked(self) -> None:
        await self._asked.acquire()


async def test_all_who_wait_share_one_grant_for_an_account() -> None:
    issuer = Issuer()
    other_model = replace(CLOUD, model="n")
    async with Grants() as grants:
        issuer.may_answer.clear()
        waiting = [
            asyncio.create_task(grants.sign(deployment, issuer, REQUEST))
            for deployment in (CLOUD, other_model, CLOUD)
        ]
        await issuer.was_asked()
        issuer.may_answer.set()
        assert [await one for one in waiting] == [{"token": "1"}] * 3
        assert await grants.sign(CLOUD, issuer, REQUEST) == {"token": "1"}
        assert await grants.sign(replace(CLOUD, account="acct_2"), issuer, REQUEST) == {
            "token": "2"
        }


async def test_a_grant_in_use_is_renewed_while_the_old_one_still_serves() -> None:
    issuer = Issuer(seconds=2.0)
    async with Grants() as grants:
        await grants.sign(CLOUD, issuer, REQUEST)
        await issuer.was_asked()
        issuer.may_answer.clear()
        await grants.sign(CLOUD, issuer, REQUEST)
        await issuer.was_asked()  # before anybody needs it
        assert await grants.sign(CLOUD, issuer, REQUEST) == {"token": "1"}
        issuer.may_answer.set()


async def test_an_expired_grant_is_never_used() -> None:
    issuer = Issuer(seconds=-1.0)
    async with Grants() as grants:
        assert await grants.sign(CLOUD, issuer, REQUEST) == {
            "token": "1"
        }  # what just came is tried
        assert await grants.sign(CLOUD, issuer, REQUEST) == {"token": "2"}


async def test_a_renewal_that_fails_keeps_the_old_grant_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    issuer = Issuer(seconds=1.0)
    async with Grants() as grants:
        await grants.sign(CLOUD, issuer, REQUEST)
        await issuer.was_asked()
        issuer.failure = UpstreamAuthenticationError("the token service is down")
        await grants.sign(CLOUD, issuer, REQUEST)
        await issuer.was_asked()
        assert await grants.sign(CLOUD, issuer, REQUEST) == {"token": "1"}
    assert issuer.count == 2


async def test_a_failure_is_told_to_all_who_wait_and_the_next_call_tries_anew() -> None:
    issuer = Issuer()
    issuer.failure = UpstreamAuthenticationError("no credentials found; log in")
    async with Grants() as grants:
        outcomes = await asyncio.gather(
            *(grants.sign(CLOUD, issuer, REQUEST) for _ in range(2)), return_exceptions=True
        )
        assert [str(outcome) for outcome in outcomes] == ["no credentials found; log in"] * 2
        issuer.failure = None
        assert await grants.sign(CLOUD, issuer, REQUEST) == {"token": "2"}


async def test_what_a_bug_in_a_plugin_says_is_not_told_to_clients() -> None:
    issuer = Issuer()
    issuer.failure = RuntimeError("secret=abc")
    async with Grants() as grants:
        with pytest.raises(UpstreamAuthenticationError, match="RuntimeError") as failure:
            await grants.sign(CLOUD, issuer, REQUEST)
    assert "abc" not in failure.value.message
    assert failure.value.status == 502


async def test_a_plugin_that_grants_nothing_harms_only_its_own_requests() -> None:
    async with Grants() as grants:
        with pytest.raises(UpstreamAuthenticationError, match="NoneType"):
            await grants.sign(CLOUD, lambda deployment: None, REQUEST)  # pyright: ignore[reportArgumentType] - a bug
        assert await grants.sign(CLOUD, Issuer(), REQUEST) == {"token": "1"}


async def test_nobody_waits_longer_than_for_a_connection() -> None:
    issuer = Issuer()
    issuer.may_answer.clear()
    impatient = replace(CLOUD, timeouts=Timeouts(connect=0.01))
    async with Grants() as grants:
        with pytest.raises(UpstreamAuthenticationError, match="within"):
            await grants.sign(impatient, issuer, REQUEST)
        issuer.may_answer.set()
