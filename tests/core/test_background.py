"""Responses in the background, on a store in memory, of a model that says what a test wants."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec
import pytest
from msgspec.structs import replace

from gateway.core.background import Background, Pace, Submission, check
from gateway.core.exchange import Blocks, Envelope, Streamed, Whole
from gateway.core.history import Prior
from gateway.core.keeper import Keeper
from gateway.core.principal import Principal
from gateway.core.records import record_of
from gateway.errors import (
    InvalidRequestError,
    NotFoundError,
    StoreError,
    UpstreamUnavailableError,
)
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment, Secret
from gateway.plugin.store import Conversation, Origin, StoredItem
from gateway.store.memory import MemoryStore
from gateway.stream import deltas as d
from gateway.stream.assembler import Assembler
from gateway.stream.lifecycle import violations
from gateway.stream.sse import DONE, SSEDecoder, encode_frames
from gateway.types.parameters import ConversationReference
from gateway.types.request import decode_request
from gateway.types.response import Response

TENANT = "alpha"
SEAL = Seal(b"a secret of the tests")
HASTY = Pace(
    lease=30, beat=0.01, poll=0.01, batch=0.005, first_look=0.005, last_look=0.01, drain=0.05
)
TEXT = "Luna counted stars until she slept."
ENVELOPE = Envelope(operation="create", request_id="req_1", body=b'{"model":"small"}')


class Clock:
    """Unix seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Store(MemoryStore):
    """A store that takes its time, may be down, and counts how often it is written to.

    `idle` is set while there is no work in it that somebody has been looking for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.appends = 0
        self.idle = asyncio.Event()

    async def claim(self, owner: str, **options: Any) -> Any:
        job = await super().claim(owner, **options)
        (self.idle.set if job is None else self.idle.clear)()
        return job

    async def append(self, *parts: Any) -> bool:
        self._check()
        self.appends += 1
        await turns()
        return await super().append(*parts)

    async def finish(self, *parts: Any) -> bool:
        self._check()
        return await super().finish(*parts)

    async def events(self, *parts: Any) -> Any:
        self._check()
        found = await super().events(*parts)
        await turns()
        return found

    def _check(self) -> None:
        if self.down:
            raise StoreError("the store is down")


async def turns() -> None:
    """Let some turns of the loop pass, in which others go on."""
    for _ in range(5):
        await asyncio.sleep(0)


class Speech:
    """What a model says: a word for each block, the last one when it `may_end`."""

    def __init__(self, response: Response, words: list[str], may_end: asyncio.Event) -> None:
        numbers = itertools.count(1)
        self._assembler = Assembler(response, lambda prefix: f"{prefix}_{next(numbers)}")
        self._words = words
        self._may_end = may_end
        self._begun = False
        self._over = False
        self.closed = asyncio.Event()
        self.silent = asyncio.Event()
        """Set when there is nothing more to say until it may end."""

    @property
    def response(self) -> Response:
        return self._assembler.response

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        events: list[Any] = []
        if not self._begun:
            self._begun, events = True, self._assembler.start()
        elif self._words:
            events = self._assembler.feed(d.Text(text=self._words.pop(0), key=0))
        elif not self._over:
            self.silent.set()
            await self._may_end.wait()
            self._over = True
            events = [*self._assembler.feed(d.Finished()), *self._assembler.finish()]
            return encode_frames(events) + DONE
        if not events:
            raise StopAsyncIteration
        return encode_frames(events)

    async def aclose(self) -> None:
        self.closed.set()


class Model:
    """Makes responses; `error` is what it raises instead."""

    def __init__(self, text: str = TEXT) -> None:
        self.text = text
        self.error: Exception | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.speeches: list[Speech] = []
        self.asked: list[tuple[Envelope, Principal]] = []
        self.begun = asyncio.Event()

    async def make(self, envelope: Envelope, principal: Principal, response_id: str, /) -> Speech:
        self.asked.append((envelope, principal))
        if self.error is not None:
            raise self.error
        words = [word + " " for word in self.text.split()]
        speech = Speech(begun(response_id), words, self.may_end)
        self.speeches.append(speech)
        self.begun.set()
        return speech


def begun(response_id: str) -> Response:
    return Response(
        id=response_id, created_at=1000, model="small", background=True, store=True, usage=None
    )


class Nodes:
    """Opens nodes that share one store; counts what they all do in it."""

    def __init__(self) -> None:
        self.store = Store()
        self.clock = Clock()
        self.keeper = Keeper(self.store, retention=3600, now=self.clock)
        self.lobby = self.node(Model())
        """A node that makes nothing: nobody enters it."""

    def node(self, model: Model, *, seal: Seal = SEAL, **pace: Any) -> Background:
        pace_ = msgspec.structs.replace(HASTY, **pace)
        return Background(self.keeper, model, seal, Ids(self.clock), pace=pace_)

    def renewed(self) -> bool:
        """Say whether the lease of all work is as long as can be."""
        return all(work.until == self.clock() + 30 for work in self.store._work.values())

    async def submit(self, response_id: str = "resp_1", **changes: Any) -> dict[str, Any]:
        reply = await self.lobby.submit(submission(response_id, **changes), stream=False)
        assert isinstance(reply, Whole)
        return json.loads(reply.body)

    async def stream(self, node: Background | None = None, after: int = -1) -> list[dict[str, Any]]:
        """Return the events of the response after one, read to the end."""
        return await read(await (node or self.lobby).follow(TENANT, "resp_1", after))

    async def kept(self, response_id: str = "resp_1") -> dict[str, Any]:
        found = await self.store.load(TENANT, response_id)
        assert found is not None
        record, output = found
        response = json.loads(record.body)
        assert response["status"] == record.status
        return {**response, "output": [json.loads(item.body) for item in output]}


def submission(response_id: str = "resp_1", **changes: Any) -> Submission:
    item = StoredItem(id="msg_0", body=b'{"id":"msg_0"}')
    asked = Submission(
        envelope=ENVELOPE,
        tenant=TENANT,
        response=begun(response_id),
        prior=Prior(),
        inputs=(item,),
    )
    return replace(asked, **changes)


async def read(blocks: Blocks) -> list[dict[str, Any]]:
    """Return the events of a stream, which has to end as all do."""
    stream = b""
    async for block in blocks:
        stream += block
    assert stream.endswith(DONE)
    frames = SSEDecoder().feed(stream.removesuffix(DONE))
    return [json.loads(frame.data) for frame in frames]


async def read_until(word: bytes, blocks: Blocks) -> None:
    """Read a stream until it has said something."""
    seen = b""
    async with asyncio.timeout(10):
        while word not in seen:
            seen += await anext(blocks)


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["sequence_number"] for event in events]


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


@asynccontextmanager
async def working(node: Background, model: Model) -> AsyncGenerator[Speech]:
    """Have `node` make a response up to its last word, and give what the model said of it."""
    model.may_end.clear()
    async with node:
        await model.begun.wait()
        speech = model.speeches[0]
        await speech.silent.wait()
        yield speech


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - stores have no events to wait for
            await asyncio.sleep(0.001)


async def test_a_response_is_queued_at_once(nodes: Nodes) -> None:
    answered = await nodes.submit()
    assert (answered["status"], answered["output"]) == ("queued", [])
    assert answered["background"] is answered["store"] is True
    assert await nodes.kept() == answered


async def test_what_was_queued_is_made_and_kept(nodes: Nodes) -> None:
    queued = await nodes.submit()
    model = Model()
    async with nodes.node(model) as node:
        events = await nodes.stream(node)
    assert violations(events) == []
    assert types(events)[:3] == ["created", "queued", "in_progress"]
    statuses = [event["response"]["status"] for event in events[:3]]
    assert statuses == ["queued", "queued", "in_progress"]
    assert {**events[2]["response"], "status": "queued"} == queued == events[0]["response"]
    assert events[-1]["response"] == await nodes.kept()
    assert events[-1]["response"]["output"][0]["content"][0]["text"].strip() == TEXT
    assert model.asked == [(ENVELOPE, Principal(tenant=TENANT))]
    assert await nodes.store.claim("late", now=9e9, until=9e9) is None


async def test_a_stream_begins_while_the_work_still_waits(nodes: Nodes) -> None:
    reply = await nodes.lobby.submit(submission(), stream=True)
    assert isinstance(reply, Streamed)
    first = await anext(reply.blocks)
    assert first.count(b"data: ") == 2
    async with nodes.node(Model()):
        rest = await read(reply.blocks)
    early = [json.loads(frame.data) for frame in SSEDecoder().feed(first)]
    assert types(early) == ["created", "queued"]
    assert early + rest == await nodes.stream()


async def test_a_stream_goes_on_after_any_event_without_gap_or_repeat(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    async with nodes.node(model) as node, working(nodes.node(Model()), model):
        followers = [
            asyncio.create_task(nodes.stream(each, after))
            for after in range(-1, 20)
            for each in (node, nodes.lobby)
        ]
        await asyncio.sleep(0)
        model.may_end.set()
        found = await asyncio.gather(*followers)
    whole = await nodes.stream()
    assert numbers(whole) == [*range(len(whole))]
    for events, after in zip(found, [n for n in range(-1, 20) for _ in range(2)], strict=True):
        assert events == whole[after + 1 :]


async def test_events_are_written_in_batches(nodes: Nodes) -> None:
    await nodes.submit()
    async with nodes.node(Model("word " * 1000), batch=60) as node:
        events = await nodes.stream(node)
    assert len(events) > 1000
    assert nodes.store.appends <= 2


async def test_events_reach_other_nodes_while_the_model_is_silent(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    async with working(nodes.node(model), model):
        await read_until(b"slept", await nodes.lobby.follow(TENANT, "resp_1", -1))
        model.may_end.set()


async def test_nothing_waits_for_the_clock_in_one_process(nodes: Nodes) -> None:
    model = Model()
    node = nodes.node(model, beat=60, poll=60, first_look=60, last_look=60, patience=60)
    async with asyncio.timeout(10), node:
        for name in ("resp_1", "resp_2"):
            await nodes.store.idle.wait()
            reply = await node.submit(submission(name), stream=True)
            assert isinstance(reply, Streamed)
            assert types(await read(reply.blocks))[-1] == "completed"
        model.may_end.clear()
        reply = await node.submit(submission("resp_3"), stream=True)
        assert isinstance(reply, Streamed)
        await read_until(b"slept", reply.blocks)
        assert b'"cancelled"' in (await node.cancel(TENANT, "resp_3")).body
        assert types(await read(reply.blocks)) == ["cancelled"]


async def test_a_stream_that_waits_goes_on_after_its_first_event(nodes: Nodes) -> None:
    await nodes.submit()
    waiting = await anext(await nodes.lobby.follow(TENANT, "resp_1", 0))
    assert (waiting.count(b"data: "), b"response.queued" in waiting) == (1, True)


async def test_a_client_that_leaves_does_not_end_the_work(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    node = nodes.node(model)
    async with working(node, model) as speech:
        following = await node.follow(TENANT, "resp_1", -1)
        await anext(following)
        await following.aclose()
        assert not speech.closed.is_set()
        model.may_end.set()
        assert types(await nodes.stream(node))[-1] == "completed"


async def test_a_node_makes_only_so_many_responses_at_once(nodes: Nodes) -> None:
    for number in range(3):
        await nodes.submit(f"resp_{number}")
    model = Model()
    node = nodes.node(model, workers=2)
    async with working(node, model):
        await until(lambda: len(model.speeches) == 2)
        assert (await nodes.kept("resp_2"))["status"] == "queued"
        model.may_end.set()
        await read(await node.follow(TENANT, "resp_2", -1))
    assert len(model.speeches) == 3


async def test_two_nodes_share_the_work(nodes: Nodes) -> None:
    names = [f"resp_{number}" for number in range(20)]
    one, two = Model(), Model()
    async with nodes.node(one), nodes.node(two):
        for name in names:
            await nodes.submit(name)
        for name in names:
            await read(await nodes.lobby.follow(TENANT, name, -1))
    assert len(one.asked) + len(two.asked) == 20


@pytest.mark.parametrize("told", [0, 2, 3])
async def test_work_of_a_dead_node_without_output_is_made_by_another(
    nodes: Nodes, told: int
) -> None:
    await nodes.submit()
    await die(nodes, told)
    async with nodes.node(Model()) as node:
        nodes.clock.time += 31
        events = await nodes.stream(node)
    assert violations(events) == []
    assert events[-1]["response"] == await nodes.kept()


async def test_work_of_a_node_that_is_alive_is_left_alone(nodes: Nodes) -> None:
    await nodes.submit()
    await die(nodes, 0)
    model = Model()
    async with nodes.node(model) as node:
        nodes.clock.time += 29
        await nodes.submit("resp_2")
        await read(await node.follow(TENANT, "resp_2", -1))
        assert len(model.asked) == 1


async def die(nodes: Nodes, told: int) -> list[dict[str, Any]]:
    """Be a node that takes up the work, tells so many events, and is never heard of again."""
    assert await nodes.store.claim("dead", now=nodes.clock(), until=nodes.clock() + 30)
    speech = Speech(begun("resp_1"), [TEXT], asyncio.Event())
    block = await anext(speech) + await anext(speech)
    frames = [frame.data for frame in SSEDecoder().feed(block)]
    record = record_of(replace(begun("resp_1"), status="in_progress"), TENANT, 9e9)
    written = [
        (number, f"event: {json.loads(data)['type']}\ndata: ".encode() + data + b"\n\n")
        for number, data in enumerate(frames[:told])
    ]
    assert await nodes.store.append("dead", record, written)
    return [json.loads(data) for data in frames[:told]]


async def test_work_of_a_dead_node_with_output_ends_as_failed(nodes: Nodes) -> None:
    await nodes.submit()
    told = await die(nodes, 6)
    assert types(told)[3] == "output_item.added"
    model = Model()
    nodes.clock.time += 31
    async with nodes.node(model) as node:
        events = await nodes.stream(node)
    assert model.asked == []
    assert events[: len(told)] == told
    assert violations(events) == []
    assert types(events)[-2:] == ["error", "failed"]
    assert events[-1]["response"] == await nodes.kept()
    error = events[-1]["response"]["error"]
    assert (error["code"], "was lost" in error["message"]) == ("server_error", True)


async def test_a_failed_response_keeps_the_items_that_were_complete(nodes: Nodes) -> None:
    await nodes.submit()
    assert await nodes.store.claim("dead", now=0, until=1)
    speech = Speech(begun("resp_1"), [TEXT], asyncio.Event())
    speech._may_end.set()
    block = b"".join([block async for block in speech])
    frames = [frame + b"\n\n" for frame in block.split(b"\n\n") if frame]
    record = record_of(replace(begun("resp_1"), status="in_progress"), TENANT, 9e9)
    assert await nodes.store.append("dead", record, [*enumerate(frames[:-2])])
    async with nodes.node(Model()) as node:
        events = await nodes.stream(node)
    assert violations(events) == []
    assert [item["id"] for item in (await nodes.kept())["output"]] == ["msg_1"]


async def test_work_that_no_node_survives_is_given_up(nodes: Nodes) -> None:
    await nodes.submit()
    for _ in range(5):
        assert await nodes.store.claim("dead", now=nodes.clock(), until=nodes.clock())
    model = Model()
    async with nodes.node(model) as node:
        events = await nodes.stream(node)
    assert model.asked == []
    assert "attempts" in events[-1]["response"]["error"]["message"]


async def test_a_node_that_loses_its_work_stops_at_once(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    async with working(nodes.node(model), model) as speech:
        following = await nodes.lobby.follow(TENANT, "resp_1", -1)
        await read_until(b"slept", following)
        [work] = nodes.store._work.values()
        work.owner = "another"
        async with asyncio.timeout(10):
            await speech.closed.wait()
    assert (await nodes.kept())["status"] == "in_progress"


async def test_a_node_that_is_busy_keeps_its_work(nodes: Nodes) -> None:
    await nodes.submit()
    model, other = Model(), Model()
    node = nodes.node(model)
    async with working(node, model), nodes.node(other):
        for _ in range(5):
            nodes.clock.time += 20
            await until(nodes.renewed)
        model.may_end.set()
        await nodes.stream(node)
    assert other.asked == []


async def test_what_is_still_queued_is_cancelled_at_once(nodes: Nodes) -> None:
    await nodes.submit()
    following = asyncio.create_task(nodes.stream())
    answer = json.loads((await nodes.lobby.cancel(TENANT, "resp_1")).body)
    assert answer["status"] == "cancelled"
    assert answer == await nodes.kept()
    events = await following
    assert types(events) == ["created", "queued", "cancelled"]
    assert numbers(events) == [0, 1, 2]
    assert events[-1]["response"] == answer
    model = Model()
    async with nodes.node(model):
        await nodes.submit("resp_2")
        await read(await nodes.lobby.follow(TENANT, "resp_2", -1))
    assert len(model.asked) == 1


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_is_being_made_is_cancelled_from_any_node(nodes: Nodes, elsewhere: bool) -> None:
    await nodes.submit()
    model = Model()
    node = nodes.node(model)
    async with working(node, model) as speech:
        following = asyncio.create_task(nodes.stream())
        asked = nodes.lobby if elsewhere else node
        answer = json.loads((await asked.cancel(TENANT, "resp_1")).body)
        assert speech.closed.is_set()
        again = json.loads((await asked.cancel(TENANT, "resp_1")).body)
    assert answer["status"] == "cancelled"
    assert answer == again == await nodes.kept()
    events = await following
    assert types(events)[-1] == "cancelled"
    assert numbers(events) == [*range(len(events))]
    assert "slept" in "".join(event.get("delta", "") for event in events)
    assert events[-1]["response"] == answer


async def test_work_of_a_dead_node_can_be_cancelled(nodes: Nodes) -> None:
    await nodes.submit()
    await die(nodes, 6)
    nodes.clock.time += 31
    answer = json.loads((await nodes.lobby.cancel(TENANT, "resp_1")).body)
    assert answer["status"] == "cancelled"
    assert numbers(await nodes.stream()) == [*range(7)]


async def test_a_node_that_does_not_answer_lets_a_cancellation_wait_only_so_long(
    nodes: Nodes,
) -> None:
    await nodes.submit()
    await die(nodes, 3)
    asked = nodes.node(Model(), patience=0.01)
    assert json.loads((await asked.cancel(TENANT, "resp_1")).body)["status"] == "in_progress"


async def test_what_is_over_is_not_cancelled(nodes: Nodes) -> None:
    await nodes.submit()
    async with nodes.node(Model()) as node:
        await nodes.stream(node)
        answer = json.loads((await node.cancel(TENANT, "resp_1")).body)
    assert answer["status"] == "completed"
    assert answer == await nodes.kept()


async def test_only_ones_own_responses_in_the_background_can_be_cancelled(nodes: Nodes) -> None:
    await nodes.submit()
    record = record_of(Response(id="resp_2", created_at=1, model="small"), TENANT, 9e9)
    await nodes.store.save(record, Origin(), (), ())
    with pytest.raises(InvalidRequestError, match="background"):
        await nodes.lobby.cancel(TENANT, "resp_2")
    for tenant, name in ((TENANT, "resp_3"), ("beta", "resp_1")):
        with pytest.raises(NotFoundError):
            await nodes.lobby.cancel(tenant, name)
        with pytest.raises(NotFoundError):
            await nodes.lobby.follow(tenant, name, -1)
    assert (await nodes.kept())["status"] == "queued"


async def test_a_provider_that_refuses_makes_the_response_fail(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    model.error = UpstreamUnavailableError("the provider is overloaded")
    async with nodes.node(model) as node:
        events = await nodes.stream(node)
    assert violations(events) == []
    assert types(events) == ["created", "queued", "in_progress", "error", "failed"]
    assert events[-1]["response"]["error"]["message"] == "the provider is overloaded"


async def test_a_bug_makes_one_response_fail_and_no_other(
    nodes: Nodes, caplog: pytest.LogCaptureFixture
) -> None:
    await nodes.submit()
    model = Model()
    model.error = ZeroDivisionError("a bug")
    async with nodes.node(model) as node:
        events = await nodes.stream(node)
        assert types(events)[-1] == "failed"
        model.error = None
        await nodes.submit("resp_2")
        again = await read(await node.follow(TENANT, "resp_2", -1))
        assert types(again)[-1] == "completed"
    assert "a bug" not in json.dumps(events)
    assert "ZeroDivisionError" in caplog.text


async def test_a_store_that_is_down_for_a_while_loses_nothing(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    node = nodes.node(model)
    async with working(node, model):
        following = await node.follow(TENANT, "resp_1", -1)
        nodes.store.down = True
        model.may_end.set()
        reading = asyncio.create_task(read(following))
        await model.speeches[0].closed.wait()
        nodes.store.down = False
        events = await reading
    assert violations(events) == []
    assert events[-1]["response"] == await nodes.kept()


async def test_work_whose_history_cannot_be_read_now_is_made_later(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    model.error = StoreError("the store is down")
    async with nodes.node(model) as node:
        await until(lambda: len(model.asked) == 1)
        model.error = None
        events = await nodes.stream(node)
    assert violations(events) == []


async def test_a_process_that_stops_lets_its_work_end(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    async with working(nodes.node(model, drain=10), model):
        asyncio.get_running_loop().call_later(0.05, model.may_end.set)
    assert (await nodes.kept())["status"] == "completed"


async def test_a_process_that_stops_gives_back_what_nobody_has_seen(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model(text="")
    async with working(nodes.node(model), model) as speech:
        pass
    assert speech.closed.is_set()
    async with nodes.node(Model()) as node:
        events = await nodes.stream(node)
    assert violations(events) == []
    assert types(events)[-1] == "completed"


async def test_a_process_that_stops_tells_that_it_cuts_off_an_answer(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    async with working(nodes.node(model), model):
        pass
    events = await nodes.stream()
    assert violations(events) == []
    assert "was stopped" in events[-1]["response"]["error"]["message"]
    assert events[-1]["response"] == await nodes.kept()


async def test_a_process_stops_even_if_the_store_does_not_answer(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    async with working(nodes.node(model, farewell=0.01), model):
        nodes.store.down = True
    nodes.store.down = False
    assert (await nodes.kept())["status"] in ("queued", "in_progress")
    assert await nodes.store.claim("next", now=nodes.clock(), until=2000) is not None


async def test_the_time_of_work_begins_when_its_process_is_told_to_stop(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    node = nodes.node(model)
    async with working(node, model) as speech:
        node.stop()
        async with asyncio.timeout(10):
            await speech.closed.wait()


@pytest.mark.parametrize(("down", "farewell"), [(False, 600), (True, 0.01)])
async def test_a_process_that_is_told_to_stop_twice_does_so_at_once(
    nodes: Nodes, down: bool, farewell: float
) -> None:
    await nodes.submit()
    model = Model()
    node = nodes.node(model, drain=600, farewell=farewell)
    async with asyncio.timeout(10), working(node, model):
        nodes.store.down = down
        node.stop()
        node.stop()


async def test_deleting_a_response_ends_its_work_and_its_streams(nodes: Nodes) -> None:
    await nodes.submit()
    model = Model()
    node = nodes.node(model)
    async with working(node, model) as speech:
        following = await node.follow(TENANT, "resp_1", -1)
        await anext(following)
        assert await nodes.store.delete(TENANT, "resp_1")
        async with asyncio.timeout(10):
            await speech.closed.wait()
            rest = await read(following)
    assert types(rest)[-1] == "error"


async def test_a_conversation_is_locked_until_its_response_has_ended(nodes: Nodes) -> None:
    await converse(nodes)
    await nodes.submit(**IN_TALK)
    assert not await may_add(nodes)
    model = Model()
    node = nodes.node(model)
    async with working(node, model):
        assert not await may_add(nodes)
        model.may_end.set()
        await nodes.stream(node)
        assert await may_add(nodes)
    assert await nodes.store.conversation_context(TENANT, "conv_1") != ()


async def test_a_conversation_is_free_when_its_response_is_cancelled(nodes: Nodes) -> None:
    await converse(nodes)
    await nodes.submit(**IN_TALK)
    await nodes.lobby.cancel(TENANT, "resp_1")
    assert await may_add(nodes)


async def test_a_conversation_is_free_when_its_response_is_deleted_at_work(nodes: Nodes) -> None:
    await converse(nodes)
    await nodes.submit(**IN_TALK)
    model = Model()
    async with working(nodes.node(model), model) as speech:
        assert await nodes.store.delete(TENANT, "resp_1")
        async with asyncio.timeout(10):
            await speech.closed.wait()
    assert await may_add(nodes)


async def test_a_conversation_stays_locked_while_a_response_is_handed_over(nodes: Nodes) -> None:
    await converse(nodes)
    await nodes.submit(**IN_TALK)
    model = Model(text="")
    async with working(nodes.node(model), model):
        pass
    assert not await may_add(nodes)
    async with nodes.node(Model()) as node:
        assert types(await nodes.stream(node))[-1] == "completed"
    assert await may_add(nodes)


async def test_a_response_that_has_lost_its_place_in_a_conversation_fails(nodes: Nodes) -> None:
    await converse(nodes)
    await nodes.submit(**IN_TALK)
    nodes.clock.time += 601
    assert await may_add(nodes)
    async with nodes.node(Model()) as node:
        events = await nodes.stream(node)
    assert "conv_1" in events[-1]["response"]["error"]["message"]
    assert not await may_add(nodes, owner="resp_3")


IN_TALK: Any = {
    "prior": Prior(origin=Origin(conversation_id="conv_1")),
    "response": replace(begun("resp_1"), conversation=ConversationReference(id="conv_1")),
}


async def converse(nodes: Nodes) -> None:
    await nodes.store.create_conversation(
        Conversation(id="conv_1", tenant=TENANT, created_at=1.0), ()
    )


async def may_add(nodes: Nodes, owner: str = "resp_2") -> bool:
    """Say whether another response may be added to the conversation now, and have it so."""
    now = nodes.clock()
    return await nodes.store.lock(TENANT, "conv_1", owner, now=now, until=now + 60)


async def test_no_secret_lies_open_in_the_store(nodes: Nodes) -> None:
    deployment = Deployment(
        alias="small", provider="acme", model="m", account="a", api_key=Secret("sk-hidden")
    )
    envelope = Envelope(
        operation="create",
        request_id="req_1",
        body=b'{"authorization":"hidden"}',
        headers={"authorization": "hidden"},
        deployment=deployment,
    )
    await nodes.submit(envelope=envelope)
    [work] = nodes.store._work.values()
    assert b"hidden" not in work.job.request
    model = Model()
    async with nodes.node(model) as node:
        await nodes.stream(node)
    assert model.asked[0][0] == replace(envelope, headers={})


async def test_work_that_another_gateway_has_sealed_fails(nodes: Nodes) -> None:
    await nodes.submit()
    async with nodes.node(Model(), seal=Seal(b"another secret")) as node:
        events = await nodes.stream(node)
    assert "secret" in events[-1]["response"]["error"]["message"]


async def test_a_gateway_without_a_store_has_no_background() -> None:
    keeper = Keeper(None, retention=0, now=Clock())
    async with Background(keeper, Model(), SEAL, Ids()) as background:
        with pytest.raises(InvalidRequestError, match="keeps nothing"):
            await background.submit(submission(), stream=False)


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"background": True, "store": False}, "store"),
        (
            {"background": True, "background_options": {"completion_window": "2h"}},
            "background_options.completion_window",
        ),
        ({"background_options": {"continuation_id": "x"}}, "background_options.continuation_id"),
    ],
)
def test_what_cannot_be_done_in_the_background_is_refused(
    asked: dict[str, Any], param: str
) -> None:
    request = decode_request(json.dumps({"model": "small", "input": "hello", **asked}).encode())
    with pytest.raises(InvalidRequestError) as raised:
        check(request)
    assert raised.value.param == param


@pytest.mark.parametrize(
    "asked",
    [
        {"store": False},
        {"background": True},
        {"background": True, "store": True, "background_options": {}},
        {"background": True, "background_options": {"completion_window": "soonest"}},
        {"background": True, "background_options": {"continuation_id": None}},
    ],
)
def test_what_can_be_done_in_the_background_is_not_refused(asked: dict[str, Any]) -> None:
    check(decode_request(json.dumps({"model": "small", "input": "hello", **asked}).encode()))
