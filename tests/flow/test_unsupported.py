"""What a model cannot be given: refused, dropped and told, or dropped because the operator said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Whole
from gateway.errors import InvalidRequestError
from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

Deploy = Callable[..., ModelEntry]

HOSTED = {"type": "file_search", "vector_store_ids": ["vs_1"]}
FUNCTION = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
CALLED = {"type": "program_output", "id": "ws_1", "call_id": "c_1", "result": "1"}
SEARCHED = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}
PICTURE = {"type": "input_image", "image_url": "https://example.com/a.png"}
TEXT = {"type": "input_text", "text": "What is this?"}
REQUESTS: dict[str, dict[str, Any]] = {
    "tools[1].type": {"tools": [FUNCTION, HOSTED]},
    "input[1].type": {"input": [{"role": "user", "content": "Hi"}, CALLED]},
    "tool_choice.type": {"tools": [FUNCTION], "tool_choice": {"type": "file_search"}},
    "input[0].content[1].type": {"input": [{"role": "user", "content": [TEXT, PICTURE]}]},
    "text.format.type": {"text": {"format": {"type": "invented"}}},
    "moderation": {"moderation": {"model": "m"}},
}


def blind(deploy: Deploy, upstream: ScriptedUpstream, **settings: Any) -> ModelEntry:
    quirks = {"images": "none"}
    return deploy(upstream, model="openai_compatible/chat", quirks=quirks, **settings)


@pytest.mark.parametrize("param", REQUESTS)
async def test_what_cannot_be_honoured_is_refused_by_its_path(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy, param: str
) -> None:
    async with open_gateway(blind(deploy, upstream)) as gateway:
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(**REQUESTS[param])
    assert (raised.value.param, raised.value.code) == (param, "unsupported_parameter")
    assert not upstream.requests


@pytest.mark.parametrize("param", REQUESTS)
async def test_the_operator_may_have_it_dropped_and_told(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    says: Says,
    deploy: Deploy,
    param: str,
) -> None:
    upstream.add(says.chat("A cat."))
    async with open_gateway(blind(deploy, upstream, on_unsupported="drop")) as gateway:
        reply = await gateway.send(**REQUESTS[param])
    assert isinstance(reply, Whole)
    assert param in reply.headers["x-gateway-dropped-params"].split(", ")
    sent = upstream.requests[0].body.decode()
    assert not any(word in sent for word in ("file_search", "ws_1", "a.png", "invented", "moder"))


async def test_the_rest_of_the_request_goes_on(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.chat("A cat."))
    async with open_gateway(blind(deploy, upstream, on_unsupported="drop")) as gateway:
        await gateway.ask(tools=[HOSTED, FUNCTION], **REQUESTS["input[0].content[1].type"])
    sent = upstream.requests[0].json()
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather"]
    assert sent["messages"] == [{"role": "user", "content": "What is this?"}]


async def test_the_answer_still_repeats_what_was_asked(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.chat("A cat."))
    async with open_gateway(blind(deploy, upstream)) as gateway:
        answer = await gateway.ask(safety_identifier="user-1", reasoning={"summary": "auto"})
    assert answer["safety_identifier"] == "user-1"
    assert answer["reasoning"]["summary"] == "auto"
    assert "user-1" not in upstream.requests[0].body.decode()


async def test_what_another_models_hosted_tool_did_does_not_end_the_conversation(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    found = {"role": "assistant", "content": "It rains, says weather.test."}
    asked = [{"role": "user", "content": "Hi"}, SEARCHED, found, {"role": "user", "content": "Oh"}]
    upstream.add(says.chat("Take a coat."))
    async with open_gateway(blind(deploy, upstream)) as gateway:
        reply = await gateway.send(input=asked)
    assert isinstance(reply, Whole)
    assert reply.headers["x-gateway-dropped-params"] == "input[1].type"
    said = [message["content"] for message in upstream.requests[0].json()["messages"]]
    assert said == ["Hi", "It rains, says weather.test.", "Oh"]
