"""A recorded turn of Claude that pauses, and what comes of it when it goes on.

That it goes on with another recorded answer is invented; the recording ends at the pause.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import openai
import pytest
import pytest_asyncio

from gateway.stream.lifecycle import violations
from gateway.testing import event_stream
from tests.vendors.judging import judge

from .conftest import asking, entry, recordings
from .families import HOSTED, PAUSE
from .histories import play
from .reading import events_of
from .reading_messages import put_together, read_message, read_messages
from .telling import read_telling

if TYPE_CHECKING:
    from gateway.testing import Script, ScriptedUpstream
    from tests.conftest import RunGateway

    from .conftest import Recording

API = "messages"
pytestmark = pytest.mark.asyncio(loop_scope="module")
ENDING: list[dict[str, Any]] = [{"type": "text", "text": "That is all that I found."}]
MOST = 10  # pauses of one turn

ABOUT = {
    name: lambda one: PAUSE in one.meta["features"]
    for name in (
        "test_a_pause_is_part_of_one_answer",
        "test_what_came_before_a_pause_goes_back_unchanged",
        "test_a_turn_that_only_pauses_comes_to_an_end",
    )
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    upstream: ScriptedUpstream, run_gateway: RunGateway
) -> AsyncGenerator[openai.AsyncOpenAI]:
    models = [
        entry(one.name, one.provider.name, one.model, upstream.url) for one in recordings({API})
    ]
    async with asking(run_gateway, models) as client:
        yield client


def paused(recording: Recording) -> Script:
    return event_stream(recording.body)


async def events_from(client: openai.AsyncOpenAI, recording: Recording) -> list[dict[str, Any]]:
    tools: Any = [HOSTED["web_search_call"]]
    asked = client.responses.with_streaming_response.create(
        model=recording.name, input="hello", stream=True, tools=tools
    )
    async with asked as answer:
        return events_of(await answer.read())


async def test_a_pause_is_part_of_one_answer(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, recording: Recording
) -> None:
    upstream.forget()
    upstream.add(paused(recording), play("anthropic", ENDING))
    events = await events_from(client, recording)
    assert violations(events) == []
    first = read_messages(recording.body, stream=True)
    made = read_telling(events[-1]["response"])
    assert (made.status, made.text) == ("completed", first.text + ENDING[0]["text"])
    assert (made.reasoning, made.hosted) == (first.reasoning, first.hosted)
    assert made.usage.sent == first.usage.sent + 3
    assert made.usage.answered == first.usage.answered + 4


async def test_what_came_before_a_pause_goes_back_unchanged(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, recording: Recording
) -> None:
    upstream.forget()
    upstream.add(paused(recording), play("anthropic", ENDING))
    await events_from(client, recording)
    asked, again = (received.json() for received in upstream.requests)
    said = put_together(recording.body, stream=True)["content"]
    assert again == {
        **asked,
        "messages": [*asked["messages"], {"role": "assistant", "content": said}],
    }
    judge(upstream.requests[-1].path, again)


async def test_a_turn_that_only_pauses_comes_to_an_end(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, recording: Recording
) -> None:
    upstream.forget()
    upstream.add(*[paused(recording)] * (MOST + 2))
    *_, last = await events_from(client, recording)
    assert last["type"] == "response.incomplete"
    assert len(upstream.requests) == MOST + 1
    message = put_together(recording.body, stream=True)
    told = read_message(message)
    assert read_telling(last["response"]).text == told.text * (MOST + 1)
