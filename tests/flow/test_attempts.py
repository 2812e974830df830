"""Retries and fallbacks: before the first byte of an answer, and never after it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from gateway.config import ModelEntry, Timeouts
from gateway.core.attempts import Attempts
from gateway.errors import (
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.plugin import Deployment
from gateway.testing import Fault, Script, ScriptedUpstream, event_stream, json_answer, page
from gateway.upstream.health import Health

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

Deploy = Callable[..., ModelEntry]

AT_ONCE = {"retry-after-ms": "1"}
HASTY = Timeouts(connect=10, first_byte=0.3, idle=0.3)
HASTY_ONCE_BEGUN = Timeouts(connect=10, first_byte=10, idle=0.3)
SILENT = Script(before=(Fault.STALL,))


class Pair:
    """Two deployments of one name: `first` is asked first, `second` only if that fails."""

    def __init__(self, first: ScriptedUpstream, second: ScriptedUpstream, deploy: Deploy) -> None:
        self.first = first
        self.second = second
        self._deploy = deploy

    def entries(self, **settings: object) -> tuple[ModelEntry, ModelEntry]:
        return (
            self._deploy(self.first, **settings),
            self._deploy(self.second, weight=0, **settings),
        )

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.requests), len(self.second.requests)


@pytest.fixture
def pair(upstream: ScriptedUpstream, other: ScriptedUpstream, deploy: Deploy) -> Pair:
    return Pair(upstream, other, deploy)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_busy_upstream_is_asked_again(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
    *,
    stream: bool,
) -> None:
    busy = says.failure(503, AT_ONCE)
    upstream.add(busy, busy, says.stream() if stream else says.whole())
    async with open_gateway(deploy(upstream, retries=2)) as gateway:
        await (gateway.stream() if stream else gateway.ask())
    assert len(upstream.requests) == 3
    [record] = gateway.records
    assert (record.attempts, record.outcome, record.status) == (3, "completed", 200)


async def test_retries_end(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.failure(503, AT_ONCE), says.failure(503, AT_ONCE))
    async with open_gateway(deploy(upstream, retries=1)) as gateway:
        with pytest.raises(UpstreamUnavailableError):
            await gateway.ask()
    assert len(upstream.requests) == 2
    assert [record.attempts for record in gateway.records] == [2]


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_of_the_request_is_final(
    open_gateway: OpenGateway, says: Says, pair: Pair, status: int
) -> None:
    pair.first.add(says.failure(status))
    async with open_gateway(*pair.entries(retries=3)) as gateway:
        with pytest.raises(UpstreamRejectedError):
            await gateway.ask()
    assert pair.asked == (1, 0)
    [record] = gateway.records
    assert (record.attempts, record.status, record.outcome) == (1, status, "failed")


FAULTS: dict[str, Script] = {
    "500": Script(status=500),
    "503": Script(status=503),
    "429": Script(status=429),
    "401": Script(status=401),
    "a page": page("<h1>hello</h1>"),
    "closed": Script(before=(Fault.CUT,)),
    "reset": Script(before=(Fault.RESET,)),
    "silent": SILENT,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_another_deployment_answers_in_place_of_one_that_fails(
    open_gateway: OpenGateway, says: Says, pair: Pair, fault: str
) -> None:
    pair.first.add(FAULTS[fault])
    pair.second.add(says.stream())
    async with open_gateway(*pair.entries(timeouts=HASTY)) as gateway:
        events = await gateway.stream()
    assert events[-1]["type"] == "response.completed"
    assert pair.asked == (1, 1)
    [record] = gateway.records
    assert (record.attempts, record.outcome) == (2, "completed")


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.STALL])
async def test_after_the_first_byte_nobody_else_is_asked(
    open_gateway: OpenGateway, says: Says, pair: Pair, fault: Fault
) -> None:
    begun = asyncio.Event()
    pair.first.add(event_stream(*says.frames("created", "in_progress"), begun, fault))
    async with open_gateway(*pair.entries(retries=3, timeouts=HASTY_ONCE_BEGUN)) as gateway:
        events = await gateway.stream(begun)
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
    ]
    assert pair.asked == (1, 0)
    [record] = gateway.records
    assert (record.attempts, record.outcome) == (1, "failed")
    assert record.error_code in {"upstream_protocol_error", "upstream_timeout"}


CHUNK = b'data: {"choices": [{"index": 0, "delta": {"content": "Lu"}}]}\n\n'
BEGUN = {
    "openai/gpt-5": Script(
        headers={"content-type": "application/json"},
        body=(b'{"id": "resp_up",', Fault.CUT),
        framing="chunked",
    ),
    "openai_compatible/chat": event_stream(CHUNK, Fault.CUT),
}
"""Invented whole answers that break off, of a native upstream and of a chat server."""


@pytest.mark.parametrize("model", BEGUN)
async def test_a_whole_answer_that_breaks_off_is_not_asked_for_again(
    open_gateway: OpenGateway, pair: Pair, model: str
) -> None:
    pair.first.add(BEGUN[model])
    async with open_gateway(*pair.entries(retries=3, model=model)) as gateway:
        with pytest.raises(UpstreamError) as raised:
            await gateway.ask()
    assert raised.value.status == 502
    assert pair.asked == (1, 0)


async def test_what_another_account_has_encrypted_is_taken_there(
    open_gateway: OpenGateway, pair: Pair, says: Says, deploy: Deploy
) -> None:
    foreign = {"message": "could not be verified", "code": "invalid_encrypted_content"}
    refusal = json_answer({"error": {**foreign, "type": "invalid_request_error"}}, status=400)
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
    twin = deploy(pair.first, model="openai/other")  # of the account that has just refused
    pair.first.add(refusal)
    pair.second.add(says.whole("resp_second"))
    async with open_gateway(*pair.entries(), twin) as gateway:
        answer = await gateway.ask(input=[reasoning], store=False)
    assert answer["status"] == "completed"
    assert pair.asked == (1, 1)

    pair.first.add(refusal)
    pair.second.add(refusal)
    async with open_gateway(*pair.entries()) as gateway:
        with pytest.raises(UpstreamRejectedError) as raised:
            await gateway.ask(input=[reasoning], store=False)
    assert raised.value.code == "invalid_encrypted_content"
    assert pair.asked == (2, 2)


async def test_a_deployment_that_was_too_slow_is_not_asked_again(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy
) -> None:
    upstream.add(SILENT)
    async with open_gateway(deploy(upstream, retries=3, timeouts=HASTY)) as gateway:
        with pytest.raises(UpstreamTimeoutError):
            await gateway.ask()
        await upstream.disconnected()
    assert len(upstream.requests) == 1


async def test_an_account_that_keeps_failing_rests_and_is_probed_later(
    open_gateway: OpenGateway, says: Says, pair: Pair
) -> None:
    pair.first.add(*[says.failure(503)] * 3)
    pair.second.add(*[says.whole()] * 4)
    async with open_gateway(*pair.entries()) as gateway:
        for _ in range(4):
            await gateway.ask()
        assert pair.asked == (3, 4)
        gateway.clock.time += 6  # the first rest is of five seconds
        pair.first.add(says.whole(), says.whole())
        await gateway.ask()
        await gateway.ask()
    assert pair.asked == (5, 4)


class Tries:
    """An attempt that fails with the given errors, one after the other, and then succeeds."""

    def __init__(self, *errors: UpstreamError) -> None:
        self._errors = list(errors)
        self.pauses: list[float] = []

    async def __call__(self, deployment: Deployment) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return deployment.alias

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def run(self, *, retries: int = 5) -> str:
        attempts = Attempts(Health(lambda: 0.0), random.Random(1), self.sleep)
        deployment = Deployment(
            alias="fast", provider="acme", model="m", account="a", retries=retries
        )
        return await attempts.run([deployment], self)


def limited(seconds: float) -> UpstreamRateLimitError:
    error = UpstreamRateLimitError("slow down")
    error.retry_after = seconds
    return error


async def test_the_upstreams_own_wish_is_the_pause() -> None:
    tries = Tries(limited(2.5), limited(0.0), limited(8.0))
    assert await tries.run() == "fast"
    assert tries.pauses == [2.5, 0.0, 8.0]


async def test_a_wish_that_is_too_long_is_passed_on_to_the_client() -> None:
    tries = Tries(limited(60))
    with pytest.raises(UpstreamRateLimitError) as raised:
        await tries.run()
    assert raised.value.retry_after == 60
    assert tries.pauses == []


async def test_without_a_wish_the_pauses_double() -> None:
    tries = Tries(*[UpstreamUnavailableError("busy") for _ in range(3)])
    assert await tries.run() == "fast"
    for pause, longest in zip(tries.pauses, (0.5, 1.0, 2.0), strict=True):
        assert 0.75 * longest <= pause <= longest


async def test_a_failure_before_the_first_word_lets_another_answer(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    """Servers say that they are at work, and then that they are not."""
    role = b'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}\n\n'
    failure = b'data: {"error": {"message": "overloaded", "code": 503}}\n\n'
    upstream.add(event_stream(b": processing\n\n", role, failure))
    other.add(says.chat("Luna"))
    model = "openai_compatible/chat"
    async with open_gateway(
        deploy(upstream, model=model), deploy(other, model=model, weight=0)
    ) as gateway:
        events = await gateway.stream()
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Luna"
