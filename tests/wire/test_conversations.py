"""Conversations with the official SDK: their own endpoints, and responses that are made in them.

The upstream speaks Chat Completions, so the gateway keeps everything itself.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import openai
import pytest
import pytest_asyncio
from openai.types.conversations import ConversationItem
from openai.types.responses import Response, ResponseStreamEvent

from gateway.testing import Fault, Script, ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

    from .conftest import AsyncSdk, Invented, SyncSdk

    Sdk = SyncSdk | AsyncSdk

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 20.0
FIRST_WORD = b'data: {"choices":[{"index":0,"delta":{"content":"Luna"}}]}\n\n'
IMAGE = "data:image/png;base64," + base64.b64encode(b"an invented picture").decode()
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
STREAMED_OR_WHOLE = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


class Talk:
    """A conversation of alpha's, with the model `chatty`."""

    def __init__(self, client: openai.AsyncOpenAI, conversation_id: str) -> None:
        self.client = client
        self.id = conversation_id

    async def say(self, words: Any, **parameters: Any) -> Response:
        """Return the response to `words`, a text or items."""
        wanted: dict[str, Any] = {"model": "chatty", **parameters}
        return await self.client.responses.create(conversation=self.id, input=words, **wanted)

    async def hear(self, words: Any, **parameters: Any) -> list[ResponseStreamEvent]:
        """Return the events of the response to `words`."""
        wanted: dict[str, Any] = {"model": "chatty", **parameters}
        events = await self.client.responses.create(
            conversation=self.id, input=words, stream=True, **wanted
        )
        return [event async for event in events]

    async def ask(self, words: Any, *, stream: bool, **parameters: Any) -> Response:
        """Return the response to `words`, streamed or not."""
        if not stream:
            return await self.say(words, **parameters)
        last: Any = (await self.hear(words, **parameters))[-1]
        return last.response

    async def items(self) -> list[ConversationItem]:
        return [each async for each in self.client.conversations.items.list(self.id, order="asc")]

    async def texts(self) -> list[str]:
        """Return what the messages say, others by their type."""
        return [
            getattr(item.content[0], "text", "") if item.type == "message" else item.type
            for item in await self.items()
        ]

    async def until_free(self) -> None:
        """Wait until no response is made in the conversation any more."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self.client.conversations.items.create(self.id, items=[])
                except openai.ConflictError:
                    await asyncio.sleep(0.01)
                else:
                    return


@pytest_asyncio.fixture(loop_scope="session")
async def client(
    proxy: GatewayProcess, keys: Mapping[str, str]
) -> AsyncGenerator[openai.AsyncOpenAI]:
    """Return the SDK with alpha's key, without retries."""
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key=keys["alpha"], max_retries=0
    ) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def talk(client: openai.AsyncOpenAI) -> Talk:
    return Talk(client, (await client.conversations.create()).id)


def said(text: str, role: str = "user") -> Any:
    return {"type": "message", "role": role, "content": text}


def told(upstream: ScriptedUpstream, number: int = -1) -> list[tuple[str, Any]]:
    """Return the messages of a request to the upstream, as roles and contents."""
    messages = upstream.requests[number].json()["messages"]
    return [(message["role"], message.get("content")) for message in messages]


# What the endpoints do.


async def test_the_sdk_makes_changes_and_deletes_a_conversation(sdk: Sdk) -> None:
    made = await sdk.call(lambda c: c.conversations.create(metadata={"topic": "Möwen"}))
    assert (made.object, made.metadata) == ("conversation", {"topic": "Möwen"})
    assert await sdk.call(lambda c: c.conversations.retrieve(made.id)) == made
    changed = await sdk.call(lambda c: c.conversations.update(made.id, metadata={"mood": "calm"}))
    assert (changed.id, changed.metadata) == (made.id, {"mood": "calm"})
    deleted = await sdk.call(lambda c: c.conversations.delete(made.id))
    assert (deleted.id, deleted.deleted) == (made.id, True)
    with pytest.raises(openai.NotFoundError, match=f"conversation with id '{made.id}' not found"):
        await sdk.call(lambda c: c.conversations.retrieve(made.id))


async def test_the_sdk_reads_and_removes_items(sdk: Sdk) -> None:
    items = [said("Hello"), said("Yes?", "assistant")]
    made = await sdk.call(lambda c: c.conversations.create(items=items))
    call = {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "mild"}
    added = await sdk.call(lambda c: c.conversations.items.create(made.id, items=[call, output]))
    assert [item.type for item in added.data] == ["function_call", "function_call_output"]
    listed = await sdk.iterate(lambda c: c.conversations.items.list(made.id))
    assert [item.type for item in listed] == [
        "function_call_output",
        "function_call",
        "message",
        "message",
    ]
    hello = listed[-1]
    assert (hello.role, hello.status, hello.content[0].type) == ("user", "completed", "input_text")
    found = await sdk.call(
        lambda c: c.conversations.items.retrieve(hello.id, conversation_id=made.id)
    )
    assert found == hello
    shown = await sdk.call(
        lambda c: c.conversations.items.delete(hello.id, conversation_id=made.id)
    )
    assert shown == made
    left = await sdk.iterate(lambda c: c.conversations.items.list(made.id, order="asc"))
    assert [item.type for item in left] == ["message", "function_call", "function_call_output"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 6, 7, 8, 100])
async def test_pages_of_any_size_hold_every_item_once(
    client: openai.AsyncOpenAI, order: Any, limit: int
) -> None:
    texts = [f"Nachricht {number} ✓" for number in range(7)]
    made = await client.conversations.create(items=[said(text) for text in texts])
    pages = client.conversations.items.list(made.id, order=order, limit=limit)
    found = [message.content[0].text async for message in cast("AsyncIterator[Any]", pages)]
    assert found == (texts if order == "asc" else texts[::-1])


async def test_a_conversation_of_another_tenant_does_not_exist(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, keys: Mapping[str, str]
) -> None:
    made = await client.conversations.create(items=[said("a secret")])
    item: Any = (await client.conversations.items.list(made.id)).data[0]
    beta = client.copy(api_key=keys["beta"])
    entries, message = beta.conversations.items, said("x")
    for attempt in (
        beta.conversations.retrieve(made.id),
        beta.conversations.update(made.id, metadata={}),
        beta.conversations.delete(made.id),
        entries.create(made.id, items=[message]),
        entries.list(made.id),
        entries.retrieve(item.id, conversation_id=made.id),
        entries.delete(item.id, conversation_id=made.id),
        beta.responses.create(model="chatty", input="x", conversation=made.id),
    ):
        with pytest.raises(openai.NotFoundError, match="not found"):
            await attempt
    assert upstream.requests == []
    assert [item.id async for item in client.conversations.items.list(made.id)] == [item.id]


# Responses in a conversation.


@STREAMED_OR_WHOLE
async def test_a_response_builds_on_its_conversation_and_is_added_to_it(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented, *, stream: bool
) -> None:
    upstream.add(invented.chat({"content": "Ja!"}), invented.chat({"content": "Zwei."}))
    await talk.client.conversations.items.create(talk.id, items=[said("Deutsch, bitte", "system")])
    first = await talk.ask("Bist du da?", stream=stream, instructions="be brief")
    assert first.conversation is not None
    assert (first.conversation.id, first.output_text) == (talk.id, "Ja!")
    assert told(upstream) == [
        ("system", "be brief"),
        ("system", "Deutsch, bitte"),
        ("user", "Bist du da?"),
    ]
    second = await talk.ask("1 + 1?", stream=stream)
    assert second.output_text == "Zwei."
    assert told(upstream) == [
        ("system", "Deutsch, bitte"),
        ("user", "Bist du da?"),
        ("assistant", "Ja!"),
        ("user", "1 + 1?"),
    ]
    items = await talk.items()
    assert await talk.texts() == ["Deutsch, bitte", "Bist du da?", "Ja!", "1 + 1?", "Zwei."]
    assert (items[2].id, items[4].id) == (first.output[0].id, second.output[0].id)


@STREAMED_OR_WHOLE
async def test_a_response_that_is_not_stored_is_added_to_its_conversation_all_the_same(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented, *, stream: bool
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    response = await talk.ask("Hello?", stream=stream, store=False)
    assert await talk.texts() == ["Hello?", "Yes."]
    with pytest.raises(openai.NotFoundError):
        await talk.client.responses.retrieve(response.id)


async def test_what_was_taken_out_in_the_middle_is_told_no_more(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(*(invented.chat({"content": f"answer {number}"}) for number in range(3)))
    await talk.say("one")
    second = await talk.say("two")
    entries = talk.client.conversations.items
    await entries.delete(str(second.output[0].id), conversation_id=talk.id)
    await talk.say("three")
    assert told(upstream) == [
        ("user", "one"),
        ("assistant", "answer 0"),
        ("user", "two"),
        ("user", "three"),
    ]
    assert await talk.texts() == ["one", "answer 0", "two", "three", "answer 2"]
    assert await talk.client.responses.retrieve(second.id) == second


async def test_a_tool_loop_runs_inside_a_conversation(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    calls = [
        {
            "index": index,
            "id": f"call_{city}",
            "type": "function",
            "function": {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'},
        }
        for index, city in enumerate(("Rome", "Bern"))
    ]
    upstream.add(
        invented.chat({"tool_calls": calls}, finish="tool_calls"),
        invented.chat({"content": "Warm, cold."}),
    )
    first = await talk.say("weather?", tools=[WEATHER])
    outputs = [
        {"type": "function_call_output", "call_id": item.call_id, "output": "20"}
        for item in first.output
        if item.type == "function_call"
    ]
    second = await talk.say(outputs, tools=[WEATHER])
    assert second.output_text == "Warm, cold."
    asked, called, *returned = upstream.requests[-1].json()["messages"]
    assert (asked["role"], asked["content"]) == ("user", "weather?")
    assert [call["id"] for call in called["tool_calls"]] == ["call_Rome", "call_Bern"]
    assert [message["tool_call_id"] for message in returned] == ["call_Rome", "call_Bern"]
    assert await talk.texts() == [
        "weather?",
        *["function_call"] * 2,
        *["function_call_output"] * 2,
        "Warm, cold.",
    ]


async def test_a_picture_in_a_conversation_is_told_again(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(*[invented.chat({"content": "A cat."})] * 2)
    picture = {"type": "input_image", "image_url": IMAGE, "detail": "auto"}
    content = [{"type": "input_text", "text": "who is this?"}, picture]
    await talk.say([{"role": "user", "content": content}])
    await talk.say("sure?")
    assert told(upstream, 0)[0] == told(upstream, 1)[0]
    assert IMAGE in str(told(upstream)[0])


async def test_conversations_do_not_mix(
    client: openai.AsyncOpenAI, talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    other = Talk(client, (await client.conversations.create(items=[said("other")])).id)
    upstream.add(*(invented.chat({"content": f"answer {number}"}) for number in range(3)))
    await talk.say("one")
    await other.say("two")
    assert told(upstream) == [("user", "other"), ("user", "two")]
    await client.conversations.delete(other.id)
    await talk.say("three")
    assert await talk.texts() == ["one", "answer 0", "three", "answer 2"]


async def test_a_response_outlives_its_conversation_and_the_other_way_round(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(*(invented.chat({"content": f"answer {number}"}) for number in range(3)))
    first, second = await talk.say("one"), await talk.say("two")
    await talk.client.responses.delete(first.id)
    assert await talk.texts() == ["one", "answer 0", "two", "answer 1"]
    await talk.client.conversations.delete(talk.id)
    await talk.client.responses.create(
        model="chatty", input="three", previous_response_id=second.id
    )
    assert [content for _, content in told(upstream)] == [
        "one",
        "answer 0",
        "two",
        "answer 1",
        "three",
    ]


# One response at a time.


@STREAMED_OR_WHOLE
async def test_the_second_of_two_responses_at_once_is_refused(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented, *, stream: bool
) -> None:
    gate = asyncio.Event()
    completion = invented.chat({"content": "Luna slept."})
    upstream.add(event_stream(FIRST_WORD, gate, *completion.body))
    first = asyncio.ensure_future(talk.ask("one", stream=stream))
    await upstream.received()
    for attempt in (
        talk.say("two"),
        talk.hear("two"),
        talk.client.conversations.items.create(talk.id, items=[said("two")]),
    ):
        with pytest.raises(openai.ConflictError) as conflict:
            await attempt
        assert conflict.value.code == "conversation_locked"
    gate.set()
    await first
    upstream.add(completion)
    await talk.say("three")
    assert len(upstream.requests) == 2
    assert await talk.texts() == ["one", "LunaLuna slept.", "three", "Luna slept."]


async def test_a_conversation_is_free_when_its_response_has_ended(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    turns = range(10)
    upstream.add(*[invented.chat({"content": "Yes."})] * len(turns))
    for turn in turns:  # at once, without the shortest wait
        events = await talk.hear(f"turn {turn}")
        assert events[-1].type == "response.completed"
    assert len(await talk.items()) == 2 * len(turns)


async def test_a_client_that_leaves_in_mid_stream_frees_the_conversation(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(event_stream(FIRST_WORD, Fault.STALL))
    stream = await talk.client.responses.create(
        model="chatty", input="one", conversation=talk.id, stream=True
    )
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    await upstream.disconnected()
    await talk.until_free()
    upstream.add(invented.chat({"content": "Yes."}))
    await talk.say("two")
    assert await talk.texts() == ["two", "Yes."]


async def test_a_client_that_leaves_before_the_answer_frees_the_conversation(
    talk: Talk, upstream: ScriptedUpstream
) -> None:
    upstream.add(Script(before=(Fault.STALL,)))
    question = asyncio.ensure_future(talk.say("one"))
    await upstream.received()
    question.cancel()
    await upstream.disconnected()
    await talk.until_free()
    assert await talk.texts() == []


FAILURES = {
    "an upstream that refuses": json_answer({"error": {"message": "no"}}, status=400),
    "an upstream that is broken": json_answer({"error": {"message": "no"}}, status=500),
    "an upstream that is cut": event_stream(FIRST_WORD, Fault.CUT),
}


@STREAMED_OR_WHOLE
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_response_that_fails_adds_nothing_and_frees_the_conversation(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented, failure: str, *, stream: bool
) -> None:
    upstream.add(FAILURES[failure])
    with pytest.raises(openai.APIError):
        await talk.ask("one", stream=stream)
    upstream.add(invented.chat({"content": "Yes."}))
    await talk.say("two")
    assert told(upstream) == [("user", "two")]
    assert await talk.texts() == ["two", "Yes."]


async def test_a_request_that_is_refused_frees_the_conversation(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    for words, temperature in (("one", 9), ([{"role": "pilot", "content": "x"}], 1)):
        with pytest.raises(openai.BadRequestError):
            await talk.say(words, temperature=temperature)
    assert upstream.requests == []
    upstream.add(invented.chat({"content": "Yes."}))
    await talk.say("two")
    assert await talk.texts() == ["two", "Yes."]


async def test_a_response_is_cut_short_and_what_there_is_of_it_is_added(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Once upon a"}, finish="length"))
    response = await talk.say("a story, please")
    assert response.status == "incomplete"
    assert await talk.texts() == ["a story, please", "Once upon a"]


@STREAMED_OR_WHOLE
async def test_a_conversation_is_deleted_while_a_response_is_made_in_it(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented, *, stream: bool
) -> None:
    gate = asyncio.Event()
    upstream.add(event_stream(FIRST_WORD, gate, *invented.chat({"content": " slept."}).body))
    question = asyncio.ensure_future(talk.ask("one", stream=stream))
    await upstream.received()
    await talk.client.conversations.delete(talk.id)
    gate.set()
    with pytest.raises(openai.APIError, match=f"there is no conversation '{talk.id}'"):
        await question


# With an upstream that speaks Responses.


@STREAMED_OR_WHOLE
async def test_a_native_upstream_is_told_what_came_before(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented, *, stream: bool
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    await talk.say("one")
    upstream.add(event_stream(*invented.frames()) if stream else json_answer(invented.response()))
    await talk.ask("two", stream=stream, model="fast")
    sent = upstream.requests[-1].json()
    assert "conversation" not in sent
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert not any("id" in item for item in sent["input"])
    assert await talk.texts() == ["one", "Yes.", "two", invented.text]
    upstream.add(invented.chat({"content": "No."}))
    await talk.say("three")
    assert [content for _, content in told(upstream)] == [
        "one",
        "Yes.",
        "two",
        invented.text,
        "three",
    ]


# Requests that cannot be.


async def test_a_conversation_and_a_previous_response_exclude_each_other(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    first = await talk.say("one")
    upstream.requests.clear()
    with pytest.raises(openai.BadRequestError) as refused:
        await talk.say("two", previous_response_id=first.id)
    assert refused.value.code == "mutually_exclusive_parameters"
    assert upstream.requests == []


@pytest.mark.parametrize("name", ["conv_unknown", {"id": "conv_unknown"}, "resp_\0"])
async def test_a_response_in_an_unknown_conversation_is_not_found(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, name: Any
) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.responses.create(model="chatty", input="x", conversation=name)
    assert missing.value.param == "conversation"
    assert upstream.requests == []


async def test_a_conversation_is_named_by_an_object_too(
    talk: Talk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    await talk.client.responses.create(model="chatty", input="x", conversation={"id": talk.id})
    assert await talk.texts() == ["x", "Yes."]


async def test_a_conversation_outlives_the_gateway(
    run_gateway: RunGateway, upstream: ScriptedUpstream, invented: Invented, tmp_path: Path
) -> None:
    params = {"model": "openai_compatible/chat-upstream", "base_url": f"{upstream.url}/v1"}
    config = {
        "model_list": [{"model_name": "chatty", "params": {**params, "api_key": "sk-invented"}}],
        "state": {"store": "sqlite", "directory": str(tmp_path)},
    }
    upstream.add(*[invented.chat({"content": "Yes."})] * 2)
    conversation_id = ""
    for turn in ("one", "two"):
        with run_gateway(config) as gateway:
            async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
                if not conversation_id:
                    conversation_id = (await client.conversations.create()).id
                talk = Talk(client, conversation_id)
                await talk.say(turn)
                texts = await talk.texts()
    assert texts == ["one", "Yes.", "two", "Yes."]
    assert [content for _, content in told(upstream)] == ["one", "Yes.", "two"]
