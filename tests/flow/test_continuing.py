"""Answers that pause: asked for again, and read on into one response."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from gateway.config import ModelEntry
from gateway.errors import UpstreamError, UpstreamProtocolError
from gateway.plugin import Call, Delta, Finished, Frame, Provider, Text, Translator, UpstreamRequest
from gateway.testing import ScriptedUpstream, event_stream, json_answer
from gateway_chat import ChatDialect

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says

Deploy = Callable[..., ModelEntry]


class PausingTranslator:
    """Reads `{"text": …, "then": "pause" | "end"}`, and asks on with all the text so far."""

    def __init__(self, call: Call) -> None:
        self._url = f"{call.deployment.base_url}/more"
        self._text = ""
        self._paused = False

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        said = json.loads(frame.data)
        self._text += said["text"]
        yield Text(said["text"])
        self._paused = said["then"] == "pause"
        if said["then"] == "end":
            yield Finished()

    def continuation(self) -> UpstreamRequest | None:
        if not self._paused:
            return None
        return UpstreamRequest(url=self._url, body=json.dumps({"so_far": self._text}).encode())


class Pausing(ChatDialect):
    """An invented API whose answers may pause."""

    name: ClassVar[str] = "pausing"

    def translator(self, call: Call, /) -> Translator:
        return PausingTranslator(call)


PAUSING = Provider(name="pausing", dialect=Pausing(), base_url="unused")


def said(text: str, then: str) -> bytes:
    return f"data: {json.dumps({'text': text, 'then': then})}\n\n".encode()


@pytest.fixture
def deployed(upstream: ScriptedUpstream, deploy: Deploy) -> ModelEntry:
    return deploy(upstream, model="pausing/m")


async def ask(open_gateway: OpenGateway, entry: ModelEntry, *, stream: bool) -> dict[str, Any]:
    """Return the response, as a client has it in the end."""
    async with open_gateway(entry, providers=[PAUSING]) as gateway:
        if not stream:
            return await gateway.ask()
        events = await gateway.stream()
        assert [event["type"] for event in events].count("response.created") == 1
        assert [event["sequence_number"] for event in events] == [*range(len(events))]
        return events[-1]["response"]


@pytest.mark.parametrize("stream", [False, True])
async def test_two_pauses_make_one_response(
    upstream: ScriptedUpstream, deployed: ModelEntry, open_gateway: OpenGateway, stream: bool
) -> None:
    upstream.add(event_stream(said("Luna ", "pause")))
    upstream.add(json_answer({"text": "slept ", "then": "pause"}))
    upstream.add(event_stream(said("well.", "end")))
    response = await ask(open_gateway, deployed, stream=stream)
    assert response["status"] == "completed"
    [message] = response["output"]
    assert message["content"][0]["text"] == "Luna slept well."
    asked = [json.loads(request.body) for request in upstream.requests[1:]]
    assert asked == [{"so_far": "Luna "}, {"so_far": "Luna slept "}]


async def test_the_key_goes_with_every_part(
    upstream: ScriptedUpstream, deploy: Deploy, open_gateway: OpenGateway
) -> None:
    entry = deploy(upstream, model="pausing/m", headers={"x-team": "red"})
    upstream.add(event_stream(said("Luna ", "pause")), event_stream(said("slept.", "end")))
    await ask(open_gateway, entry, stream=False)
    assert [request.headers["x-team"] for request in upstream.requests] == ["red", "red"]


async def test_a_part_that_fails_fails_the_response(
    upstream: ScriptedUpstream, deployed: ModelEntry, open_gateway: OpenGateway, says: Says
) -> None:
    upstream.add(event_stream(said("Luna ", "pause")), says.failure(500))
    response = await ask(open_gateway, deployed, stream=True)
    assert response["status"] == "failed"
    assert response["output"][0]["content"][0]["text"] == "Luna "

    upstream.add(event_stream(said("Luna ", "pause")), says.failure(500))
    with pytest.raises(UpstreamError):
        await ask(open_gateway, deployed, stream=False)


async def test_an_answer_without_end_or_pause_is_cut_short(
    upstream: ScriptedUpstream, deployed: ModelEntry, open_gateway: OpenGateway
) -> None:
    upstream.add(event_stream(said("Luna ", "go on")))
    with pytest.raises(UpstreamProtocolError, match="cut short"):
        await ask(open_gateway, deployed, stream=False)


async def test_a_provider_that_pauses_for_ever_is_left(
    upstream: ScriptedUpstream, deployed: ModelEntry, open_gateway: OpenGateway
) -> None:
    upstream.add(*[event_stream(said(".", "pause")) for _ in range(32)])
    with pytest.raises(UpstreamProtocolError, match="paused 32 times"):
        await ask(open_gateway, deployed, stream=False)
    assert len(upstream.requests) == 32
