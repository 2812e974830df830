"""Which deployment a request goes to: by weight, or to the account that holds the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from gateway.config import ModelEntry
from gateway.errors import UpstreamUnavailableError
from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

Deploy = Callable[..., ModelEntry]


async def test_the_load_is_balanced_by_weight(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    upstream.handle("/v1/responses", lambda _: says.whole())
    other.handle("/v1/responses", lambda _: says.whole())
    async with open_gateway(deploy(upstream, weight=3), deploy(other, weight=1)) as gateway:
        for _ in range(200):
            await gateway.ask()
    # 150 are expected; further off than six standard deviations is no chance.
    assert abs(len(upstream.requests) - 150) < 37
    assert len(upstream.requests) + len(other.requests) == 200


async def test_what_follows_goes_to_the_account_that_made_it(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    both = {"upstream": upstream, "other": other}
    for name, one in both.items():
        one.handle("/v1/responses", lambda _, name=name: says.whole(f"resp_{name}"))
        one.handle(f"/v1/responses/resp_{name}", lambda _, name=name: says.whole(f"resp_{name}"))
    async with open_gateway(deploy(upstream), deploy(other)) as gateway:
        for _ in range(25):
            made = (await gateway.ask())["id"]
            await gateway.ask(previous_response_id=made)
            await gateway.retrieve(made)
    for name, one in both.items():
        follow_ups = [received.json() for received in one.requests if received.body]
        named = {body.get("previous_response_id") for body in follow_ups}
        assert named <= {None, f"resp_{name}"}
        assert {received.path for received in one.requests if not received.body} <= {
            f"/v1/responses/resp_{name}"
        }
    assert len(upstream.requests) + len(other.requests) == 75


async def test_a_follow_up_never_goes_elsewhere(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    upstream.add(says.whole(), says.failure(503))
    async with open_gateway(deploy(upstream), deploy(other, weight=0)) as gateway:
        made = (await gateway.ask())["id"]
        with pytest.raises(UpstreamUnavailableError):
            await gateway.ask(previous_response_id=made)
    assert other.requests == []


async def test_another_model_of_the_same_account_may_follow(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
) -> None:
    upstream.add(says.whole(), says.whole())
    large = deploy(upstream, name="large", model="openai/gpt-large")
    foreign = deploy(other, name="foreign")
    async with open_gateway(deploy(upstream), large, foreign) as gateway:
        made = (await gateway.ask())["id"]
        answer = await gateway.ask(model="large", previous_response_id=made)
        assert answer["model"] == "large"
        with pytest.raises(UpstreamUnavailableError):  # it is asked for the history
            await gateway.ask(model="foreign", previous_response_id=made)
    assert upstream.requests[1].json()["previous_response_id"] == "resp_up"
    assert other.requests == []
