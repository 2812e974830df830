"""`truncation: auto`: the oldest items go when a provider finds the input too long."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.errors import UpstreamRejectedError
from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]

ERROR = {"message": "maximum context length is 10 tokens", "code": "context_length_exceeded"}
TALK: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "One?"},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "a cat"},
    {"role": "assistant", "content": "A cat."},
    {"role": "user", "content": "Two?"},
]


def too_long() -> Script:
    return json_answer({"error": ERROR}, status=400)


def sent(upstream: ScriptedUpstream, number: int = -1) -> list[str]:
    messages = upstream.requests[number].json()["messages"]
    return [message.get("content") or "(call)" for message in messages]


@pytest.fixture
async def gateway(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, deploy: Deploy
) -> AsyncGenerator[Gateway]:
    async with open_gateway(deploy(upstream, model="openai_compatible/chat")) as gateway:
        yield gateway


async def test_the_oldest_go_and_the_rest_is_asked_again(
    gateway: Gateway, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(too_long(), too_long(), says.chat("Two."))
    answer = await gateway.ask(input=TALK, truncation="auto")
    assert answer["output"][0]["content"][0]["text"] == "Two."
    assert answer["truncation"] == "auto"
    assert [sent(upstream, number) for number in range(3)] == [
        ["Be brief.", "One?", "(call)", "a cat", "A cat.", "Two?"],
        ["Be brief.", "A cat.", "Two?"],
        ["Be brief.", "Two?"],
    ]


async def test_a_stream_that_fails_before_its_first_word_is_asked_again(
    gateway: Gateway, upstream: ScriptedUpstream, says: Says
) -> None:
    failing = event_stream(f"data: {json.dumps({'error': ERROR})}\n\n".encode())
    upstream.add(failing, says.chat("Two."))
    events = await gateway.stream(input=TALK, truncation="auto")
    assert events[-1]["type"] == "response.completed"
    assert len(sent(upstream)) < len(TALK)


async def test_two_tries_are_all_that_is_made(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    turns = [{"role": "user", "content": f"line {number}"} for number in range(50)]
    upstream.add(*(too_long() for _ in range(4)))
    with pytest.raises(UpstreamRejectedError) as raised:
        await gateway.ask(input=turns, truncation="auto")
    assert (raised.value.status, raised.value.code) == (400, "context_length_exceeded")
    assert [len(sent(upstream, number)) for number in range(3)] == [50, 25, 13]
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("body", [{}, {"truncation": "disabled"}])
async def test_without_it_the_refusal_passes(
    gateway: Gateway, upstream: ScriptedUpstream, body: dict[str, Any]
) -> None:
    upstream.add(too_long())
    with pytest.raises(UpstreamRejectedError):
        await gateway.ask(input=TALK, **body)


async def test_another_refusal_passes(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.add(json_answer({"error": {"message": "no such tool"}}, status=400))
    with pytest.raises(UpstreamRejectedError):
        await gateway.ask(input=TALK, truncation="auto")


async def test_what_cannot_be_shortened_is_refused_at_once(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(too_long())
    with pytest.raises(UpstreamRejectedError):
        await gateway.ask(input="Hello " * 100, truncation="auto")


async def test_what_is_kept_stays_whole(
    gateway: Gateway, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(too_long(), says.chat("Two."), says.chat("Three."))
    first = await gateway.ask(input=TALK, truncation="auto")
    await gateway.ask(input="Three?", previous_response_id=first["id"])
    assert sent(upstream) == [
        "Be brief.", "One?", "(call)", "a cat", "A cat.", "Two?", "Two.", "Three?",
    ]  # fmt: skip
