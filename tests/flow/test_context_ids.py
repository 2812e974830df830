"""Ids in a request: they are ids, and none stands twice in one context."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.errors import InvalidRequestError, NotFoundError
from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

Deploy = Callable[..., ModelEntry]


def said(text: str, identifier: str) -> dict[str, Any]:
    return {"type": "message", "id": identifier, "role": "user", "content": text}


async def test_an_item_of_the_chain_cannot_be_sent_again(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.chat("Luna."))
    async with open_gateway(deploy(upstream, model="openai_compatible/chat")) as gateway:
        first = await gateway.ask(input=[said("Who?", "msg_1")])
        for again in (said("Who?", "msg_1"), first["output"][0]):
            with pytest.raises(InvalidRequestError, match="Duplicate item found with id") as raised:
                await gateway.ask(
                    input=[said("And?", "msg_2"), again], previous_response_id=first["id"]
                )
            assert raised.value.param == "input[1]"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("identifier", ["a\0b", "é", "x" * 257, " "])
async def test_what_is_no_id_is_refused(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy, identifier: str
) -> None:
    async with open_gateway(deploy(upstream, model="openai_compatible/chat")) as gateway:
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(input=[said("Who?", identifier)])
        assert raised.value.param == "input[0].id"
        with pytest.raises(InvalidRequestError, match="not found"):
            await gateway.ask(previous_response_id=identifier)
        with pytest.raises(NotFoundError):
            await gateway.ask(conversation=identifier)
        with pytest.raises(NotFoundError):
            await gateway.retrieve(identifier)
