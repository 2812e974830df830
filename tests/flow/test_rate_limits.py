"""Rate limits: what a provider tells in headers of its own, clients read in OpenAI's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Streamed
from gateway.plugin import Provider
from gateway.testing import ScriptedUpstream, event_stream
from gateway_chat.dialect import ChatDialect

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway

CHUNK = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n'
)


class Limiting(ChatDialect):
    """Chat Completions at a vendor with a header of its own; invented."""

    name: ClassVar[str] = "limiting"

    def rate_limits(self, headers: Mapping[str, str], /) -> Mapping[str, str]:
        return {"x-ratelimit-remaining-requests": headers["beads-left"]}


async def headers_of(gateway: Gateway, *, stream: bool) -> Mapping[str, str]:
    reply = await gateway.send(stream=stream)
    if isinstance(reply, Streamed):
        await reply.blocks.aclose()
    return reply.headers


@pytest.mark.parametrize("stream", [True, False])
async def test_the_limits_of_a_provider_are_told_in_the_words_of_openai(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    deploy: Callable[..., ModelEntry],
    *,
    stream: bool,
) -> None:
    upstream.add(event_stream(CHUNK, headers={"beads-left": "7"}))
    provider = Provider(name="abacus", dialect=Limiting())
    async with open_gateway(deploy(upstream, model="abacus/m1"), providers=[provider]) as gateway:
        headers = await headers_of(gateway, stream=stream)
    assert headers["x-ratelimit-remaining-requests"] == "7"
