"""`input_tokens`: the provider's own count, or an estimate that says what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.errors import UpstreamProtocolError
from gateway.plugin import Provider
from gateway.plugin.dialect import Call, UpstreamRequest
from gateway.testing import ScriptedUpstream, json_answer
from gateway_chat.dialect import ChatDialect

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]


class Counting(ChatDialect):
    """Chat Completions at a vendor that counts, too; invented."""

    name: ClassVar[str] = "counting"

    def encode_count(self, call: Call, /) -> UpstreamRequest:
        url = f"{call.deployment.base_url}/count"
        return UpstreamRequest(url=url, body=msgspec.json.encode({"model": call.model}))

    def read_count(self, body: bytes, /) -> int:
        try:
            return msgspec.json.decode(body, type=dict[str, int])["tokens"]
        except (msgspec.DecodeError, KeyError) as error:
            raise UpstreamProtocolError("the provider's count is unreadable") from error


async def count(gateway: Gateway, **body: Any) -> tuple[int, str | None]:
    """Return the number of input tokens, and what the answer says was estimated."""
    asked = json.dumps({"model": "fast", **body}).encode()
    envelope = Envelope(operation="input_tokens", request_id="req_1", body=asked)
    reply = await gateway.engine.respond(envelope, Principal())
    assert isinstance(reply, Whole)
    answer = json.loads(reply.body)
    assert answer["object"] == "response.input_tokens"
    return answer["input_tokens"], reply.headers.get("x-gateway-estimated")


@pytest.fixture
def chatty(upstream: ScriptedUpstream, deploy: Deploy) -> ModelEntry:
    return deploy(upstream, model="openai_compatible/chat")


async def test_an_estimate_says_that_it_is_one_and_calls_nobody(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, chatty: ModelEntry
) -> None:
    async with open_gateway(chatty) as gateway:
        assert await count(gateway, input="x" * 400) == (104, "input_tokens")
    assert not upstream.requests


async def test_what_came_before_counts(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, chatty: ModelEntry
) -> None:
    upstream.add(says.chat("y" * 400))
    async with open_gateway(chatty) as gateway:
        first = await gateway.ask(input="x" * 400)
        tokens, _ = await count(gateway, input="z", previous_response_id=first["id"])
    assert 210 <= tokens <= 230


async def test_a_provider_that_counts_is_asked(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy
) -> None:
    upstream.add(json_answer({"tokens": 42}))
    entry = deploy(upstream, model="abacus/m1")
    provider = Provider(name="abacus", dialect=Counting())
    async with open_gateway(entry, providers=[provider]) as gateway:
        assert await count(gateway, input="hello") == (42, None)
    assert upstream.requests[0].path.endswith("/count")
    assert upstream.requests[0].json() == {"model": "m1"}


async def test_a_count_that_cannot_be_read_is_an_error(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy
) -> None:
    upstream.add(json_answer({"number": 42}))
    entry = deploy(upstream, model="abacus/m1")
    provider = Provider(name="abacus", dialect=Counting())
    async with open_gateway(entry, providers=[provider]) as gateway:
        with pytest.raises(UpstreamProtocolError):
            await count(gateway, input="hello")


async def test_counting_holds_up_no_conversation(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, chatty: ModelEntry
) -> None:
    upstream.add(says.chat("y"))
    async with open_gateway(chatty) as gateway:
        items = [{"role": "user", "content": "x" * 400}]
        body = json.dumps({"items": items}).encode()
        made = json.loads(await gateway.engine.conversations.create("default", body))
        tokens, _ = await count(gateway, input="z", conversation=made["id"])
        assert tokens > 100
        await gateway.ask(conversation=made["id"])
