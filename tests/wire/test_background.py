"""Responses in the background: the official SDK in front, a model behind that takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

from gateway.testing import Fault, Script, ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from tests.conftest import RunGateway

    from .conftest import AsyncSdk, Invented, Refuses, SyncSdk

    Sdk = SyncSdk | AsyncSdk

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKERS = 64
"""As many responses as one process makes at once."""

WORD = b'data: {"choices":[{"index":0,"delta":{"content":"Luna "}}]}\n\n'


def slow(invented: Invented, gate: asyncio.Event) -> Script:
    """Return an answer that goes on after its first word when the gate opens."""
    rest = invented.chat({"content": "counted "}, {"content": "stars."})
    return event_stream(WORD, gate, *rest.body)


async def over(sdk: Sdk, response_id: str) -> Any:
    """Ask for a response until it is over, and return it."""
    async with asyncio.timeout(20):
        while True:
            response = await sdk.call(lambda c: c.responses.retrieve(response_id))
            if response.status not in ("queued", "in_progress"):
                return response
            await asyncio.sleep(0.01)


def events_of(response_id: str, after: int | None = None) -> Callable[[Any], Any]:
    """Return how a client asks for the events of a response after one."""
    if after is None:
        return lambda client: client.responses.retrieve(response_id, stream=True)
    return lambda client: client.responses.retrieve(response_id, stream=True, starting_after=after)


async def test_a_response_is_polled_until_it_is_over(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    gate = asyncio.Event()
    upstream.add(slow(invented, gate))
    queued = await sdk.call(
        lambda c: c.responses.create(model="chatty", input="hello", background=True)
    )
    assert (queued.status, queued.output, queued.background) == ("queued", [], True)
    await upstream.received()
    running = await sdk.call(lambda c: c.responses.retrieve(queued.id))
    assert running.status in ("queued", "in_progress")
    gate.set()
    done = await over(sdk, queued.id)
    assert (done.status, done.output_text) == ("completed", "Luna counted stars.")
    assert done.usage.total_tokens == 7
    await sdk.call(lambda c: c.responses.delete(queued.id))
    with pytest.raises(openai.NotFoundError):
        await sdk.call(lambda c: c.responses.retrieve(queued.id))


async def test_a_stream_that_was_dropped_goes_on_where_it_was(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    gate = asyncio.Event()
    upstream.add(slow(invented, gate))
    seen = await first_events(sdk, 6)
    response_id = seen[0].response.id
    assert [event.type for event in seen[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    following = asyncio.create_task(sdk.iterate(events_of(response_id, seen[-1].sequence_number)))
    gate.set()
    rest = await following
    uninterrupted = await sdk.iterate(events_of(response_id))
    assert seen + rest == uninterrupted
    assert [event.sequence_number for event in uninterrupted] == [*range(len(uninterrupted))]
    assert uninterrupted[-1].response.output_text == "Luna counted stars."
    assert uninterrupted[-1].response == await over(sdk, response_id)


async def first_events(sdk: Sdk, count: int) -> list[Any]:
    """Return the first events of a new response, whose stream is dropped after them."""
    body: dict[str, Any] = {"model": "chatty", "input": "hello", "background": True, "stream": True}

    def read(client: Any) -> list[Any]:
        with client.responses.create(**body) as stream:
            return [next(stream) for _ in range(count)]

    async def read_too(client: Any) -> list[Any]:
        async with await client.responses.create(**body) as stream:
            return [await anext(stream) for _ in range(count)]

    if isinstance(sdk.client, openai.OpenAI):
        return await sdk.call(read)
    return await sdk.call(read_too)


async def test_the_stream_helper_takes_up_a_response(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    gate = asyncio.Event()
    upstream.add(slow(invented, gate))
    queued = await sdk.call(
        lambda c: c.responses.create(model="chatty", input="hello", background=True)
    )
    gate.set()
    _, final = await sdk.stream(lambda c: c.responses.stream(response_id=queued.id))
    assert final.output_text == "Luna counted stars."
    events, _ = await sdk.stream(
        lambda c: c.responses.stream(response_id=queued.id, starting_after=5)
    )
    assert events[0].sequence_number == 6


async def test_a_running_response_is_cancelled(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(event_stream(WORD, Fault.STALL))
    [created] = await first_events(sdk, 1)
    response_id = created.response.id
    following = asyncio.create_task(sdk.iterate(events_of(response_id)))
    await upstream.received()
    cancelled = await sdk.call(lambda c: c.responses.cancel(response_id))
    assert cancelled.status == "cancelled"
    await upstream.disconnected()
    assert await sdk.call(lambda c: c.responses.cancel(response_id)) == cancelled
    assert await sdk.call(lambda c: c.responses.retrieve(response_id)) == cancelled
    events = await following
    assert events[-1].type == "response.cancelled"
    assert [event.sequence_number for event in events] == [*range(len(events))]


async def test_a_response_that_is_over_is_not_cancelled(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    queued = await sdk.call(
        lambda c: c.responses.create(model="chatty", input="hello", background=True)
    )
    done = await over(sdk, queued.id)
    assert await sdk.call(lambda c: c.responses.cancel(queued.id)) == done


async def test_only_responses_in_the_background_are_cancelled(
    http: httpx2.AsyncClient, refuses: Refuses, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    kept = (await http.post("/responses", json={"model": "chatty", "input": "hello"})).json()
    await refuses((400, "invalid_request_error", None, None), f"/responses/{kept['id']}/cancel")


async def test_a_response_that_waits_in_line_is_cancelled_at_once(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.add(*[event_stream(Fault.STALL)] * WORKERS)
    asked = {"model": "chatty", "input": "hello", "background": True}
    running = [(await http.post("/responses", json=asked)).json()["id"] for _ in range(WORKERS)]
    for _ in running:
        await upstream.received()
    waiting = (await http.post("/responses", json=asked)).json()
    async with http.stream("GET", f"/responses/{waiting['id']}?stream=true") as following:
        cancelled = (await http.post(f"/responses/{waiting['id']}/cancel")).json()
        assert cancelled == {**waiting, "status": "cancelled"}
        lines = [line async for line in following.aiter_lines()]
    assert [line[7:] for line in lines if line.startswith("event: ")] == [
        "response.created",
        "response.queued",
        "response.cancelled",
    ]
    ended = await asyncio.gather(*(http.post(f"/responses/{one}/cancel") for one in running))
    assert {answer.json()["status"] for answer in ended} == {"cancelled"}
    assert len(upstream.requests) == WORKERS


async def test_nobody_else_sees_a_response(
    http: httpx2.AsyncClient,
    refuses: Refuses,
    upstream: ScriptedUpstream,
    invented: Invented,
    keys: dict[str, str],
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    asked = {"model": "chatty", "input": "hello", "background": True}
    path = f"/responses/{(await http.post('/responses', json=asked)).json()['id']}"
    theirs = {"authorization": f"Bearer {keys['beta']}"}
    missing = (404, "invalid_request_error", None, None)
    for method, tail in (("GET", ""), ("GET", "?stream=true"), ("POST", "/cancel")):
        await refuses(missing, path + tail, method, headers=theirs)
    async with http.stream("GET", f"{path}?stream=true") as mine:
        assert "response.completed" in (await mine.aread()).decode()


async def test_a_number_that_is_none_is_refused(
    http: httpx2.AsyncClient, refuses: Refuses, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(invented.chat({"content": "Yes."}))
    asked = {"model": "chatty", "input": "hello", "background": True}
    path = f"/responses/{(await http.post('/responses', json=asked)).json()['id']}"
    expected = (400, "invalid_request_error", "invalid_value", "starting_after")
    for number in ("x", "-1", "1.5"):
        await refuses(expected, f"{path}?stream=true&starting_after={number}", "GET")
    async with http.stream("GET", f"{path}?stream=true&starting_after=9999999") as nothing:
        assert (await nothing.aread()).decode() in ("data: [DONE]\n\n", "")


async def test_work_survives_a_restart(
    run_gateway: RunGateway, upstream: ScriptedUpstream, invented: Invented, tmp_path: Path
) -> None:
    entry = {
        "model_name": "chatty",
        "params": {
            "model": "openai_compatible/chat-upstream",
            "base_url": f"{upstream.url}/chat/v1",
            "api_key": "sk-invented",
        },
    }
    config = {
        "model_list": [entry],
        "server": {"drain_seconds": 0.1},
        "state": {"store": "sqlite", "directory": str(tmp_path)},
    }
    upstream.add(event_stream(Fault.STALL), invented.chat({"content": "Yes."}))
    with run_gateway(config) as gateway:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
            queued = await client.responses.create(model="chatty", input="hello", background=True)
        await upstream.received()
        await asyncio.to_thread(gateway.process.terminate)
        await asyncio.to_thread(gateway.process.wait)
    with run_gateway(config) as gateway:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
            stream = await client.responses.retrieve(queued.id, stream=True)
            events = [event async for event in stream]
    assert events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == [*range(len(events))]
