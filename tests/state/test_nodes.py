"""Two gateway processes on one PostgreSQL: what one has begun the other goes on with."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from openai.types.responses import Response

from gateway.testing import Script, event_stream

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream
    from gateway_postgres.testing import PostgresServer
    from tests.conftest import GatewayProcess, RunGateway

    from .conftest import Configure, Teller, Vendor, Visit

    Run = Callable[[], AbstractContextManager[GatewayProcess]]

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

LEASE = 3.0  # seconds
SLACK = 5.0  # seconds, for looking for work, and for a machine that has other things to do
RESPONSES, KILLS = 100, 6
SPREAD = 6.0  # seconds in which the responses are asked for
OVER = ("completed", "failed", "incomplete", "cancelled")
LOST = (openai.APIError, httpx2.TransportError)


@pytest.fixture(scope="module")
def run(
    configure: Configure,
    run_gateway: RunGateway,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Return what runs one more node on the same database."""
    state = {"store": "postgres", "url": postgres.new_database(), "lease_seconds": LEASE}

    def running() -> AbstractContextManager[GatewayProcess]:
        directory: Path = tmp_path_factory.mktemp("node")
        return run_gateway(configure({**state, "directory": str(directory)}))

    return running


@pytest.fixture(scope="module")
def nodes(run: Run) -> Generator[list[GatewayProcess]]:
    """Run two nodes."""
    with run() as one, run() as other:
        yield [one, other]


def slow(vendor: Vendor, *before: asyncio.Event, gate: asyncio.Event) -> Script:
    """Return an answer whose second word comes when the gate opens, its first after `before`."""
    first, *rest = vendor.chat({"content": "Luna "}, {"content": "slept."}).body
    return event_stream(*before, first, gate, *rest)


def id_of(events: list[dict[str, Any]]) -> str:
    return events[0]["response"]["id"]


async def over(teller: Teller, response_id: str, *, within: float = 20.0) -> Response:
    """Ask for a response until it is over, and return it."""
    async with asyncio.timeout(within):
        while True:
            response = await teller.client.responses.retrieve(response_id)
            if response.status in OVER:
                return response
            await asyncio.sleep(0.05)


async def assert_told_once(teller: Teller, response: Response) -> None:
    """See that the events of a response have no gap, no repetition, and one end."""
    events = await teller.told(response.id)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = Counter(event["type"] for event in events)
    assert events[-1]["type"] == f"response.{response.status}"
    assert sum(kinds[f"response.{status}"] for status in OVER) == 1
    assert (kinds["response.created"], kinds["response.in_progress"]) == (1, 1)
    assert kinds["response.output_item.added"] <= 1
    assert events[-1]["response"] == response.to_dict()


async def test_what_one_node_keeps_the_other_goes_on_with(
    nodes: list[GatewayProcess], visit: Visit, vendor: Vendor, *, stream: bool
) -> None:
    async with visit(nodes[0]) as here, visit(nodes[1]) as there:
        first = await here.ask("one", stream=stream)
        assert await there.kept(first.id) == first.to_dict()
        second = await there.ask("two", stream=stream, previous_response_id=first.id)
        third = await here.ask("three", stream=stream, previous_response_id=second.id)
        assert [text for _, text in vendor.told] == ["one", "one", "two", "two", "three"]
        assert await there.told(third.id) == await here.told(third.id)
        await there.client.responses.delete(first.id)
        with pytest.raises(openai.NotFoundError):
            await here.kept(first.id)
        assert await here.kept(second.id) == second.to_dict()


async def test_one_conversation_is_added_to_by_one_node_at_a_time(
    nodes: list[GatewayProcess], visit: Visit, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    async with visit(nodes[0]) as here, visit(nodes[1]) as there:
        conversation = await here.client.conversations.create()
        gate = asyncio.Event()
        vendor.will(slow(vendor, gate=gate))
        asked = asyncio.create_task(here.ask("one", conversation=conversation.id))
        await upstream.received()
        with pytest.raises(openai.ConflictError):
            await there.ask("two", conversation=conversation.id)
        gate.set()
        await asked
        await there.ask("two", conversation=conversation.id)
        assert [text for _, text in vendor.told] == ["one", "Luna slept.", "two"]


async def test_a_stream_that_one_node_began_goes_on_at_the_other(
    nodes: list[GatewayProcess], visit: Visit, vendor: Vendor
) -> None:
    async with visit(nodes[0]) as here, visit(nodes[1]) as there:
        gate = asyncio.Event()
        vendor.will(slow(vendor, gate=gate))
        stream = await here.client.responses.create(
            model="stella", input="x", background=True, stream=True
        )
        seen = [(await anext(stream)).to_dict() for _ in range(6)]
        await stream.close()
        response_id, last = id_of(seen), seen[-1]["sequence_number"]
        following = asyncio.create_task(there.told(response_id, starting_after=last))
        gate.set()
        seen += await following
        assert seen == await here.told(response_id) == await there.told(response_id)
        done = await over(there, response_id)
        assert (done.output_text, done.status) == ("Luna slept.", "completed")
        assert await here.kept(response_id) == done.to_dict()
        await assert_told_once(there, done)


async def test_what_one_node_makes_the_other_cancels(
    nodes: list[GatewayProcess], visit: Visit, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    async with visit(nodes[0]) as here, visit(nodes[1]) as there:
        vendor.will(slow(vendor, gate=asyncio.Event()))
        queued = await here.ask("x", background=True)
        await upstream.received()
        cancelled = await there.client.responses.cancel(queued.id)
        assert cancelled.status == "cancelled"
        async with asyncio.timeout(SLACK):
            await upstream.disconnected()
        assert await here.kept(queued.id) == cancelled.to_dict()
        await assert_told_once(here, cancelled)
        again = await here.client.responses.cancel(queued.id)
        assert again.to_dict() == cancelled.to_dict()


async def test_what_one_node_makes_the_other_deletes(
    nodes: list[GatewayProcess], visit: Visit, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    async with visit(nodes[0]) as here, visit(nodes[1]) as there:
        vendor.will(slow(vendor, gate=asyncio.Event()))
        queued = await here.ask("x", background=True)
        await upstream.received()
        await there.client.responses.delete(queued.id)
        async with asyncio.timeout(SLACK):
            await upstream.disconnected()
        for teller in (here, there):
            with pytest.raises(openai.NotFoundError):
                await teller.kept(queued.id)


async def test_what_a_dead_node_was_making_is_ended_by_another(
    run: Run, visit: Visit, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    silent, begun = slow(vendor, asyncio.Event(), gate=gate), slow(vendor, gate=gate)
    vendor.will(silent)
    with ExitStack() as running:
        doomed = running.enter_context(run())
        async with visit(doomed) as teller:
            unheard = await teller.ask("unheard", background=True)
            await upstream.received()
            vendor.will(begun)
            stream = await teller.client.responses.create(
                model="stella", input="half heard", background=True, stream=True
            )
            seen = [(await anext(stream)).to_dict() for _ in range(6)]
            await stream.close()
        heir = running.enter_context(run())
        doomed.process.kill()
        async with visit(heir) as teller:
            response_id, last = id_of(seen), seen[-1]["sequence_number"]
            following = asyncio.create_task(teller.told(response_id, starting_after=last))
            finished = await over(teller, unheard.id, within=LEASE + SLACK)
            failed = await over(teller, response_id, within=LEASE + SLACK)
            seen += await following
            assert seen == await teller.told(response_id)
            assert (finished.status, finished.output_text) == ("completed", "unheard")
            assert (failed.status, failed.output) == ("failed", [])
            assert failed.error is not None
            assert failed.error.code == "server_error"
            assert "node that made it was lost" in failed.error.message
            await assert_told_once(teller, finished)
            await assert_told_once(teller, failed)
    heard = Counter(body["messages"][-1]["content"] for body in vendor.heard)
    assert heard == {"unheard": 2, "half heard": 1}


class Cluster:
    """Two nodes, one or the other of which dies now and then, and is there again soon after."""

    def __init__(self, run: Run, visit: Visit, chance: random.Random) -> None:
        self._run = run
        self._visit = visit
        self._chance = chance
        self._nodes: list[tuple[GatewayProcess, ExitStack]] = []

    async def __aenter__(self) -> Cluster:
        for _ in range(2):
            self._nodes.append(await asyncio.to_thread(self._start))
        return self

    async def __aexit__(self, *exception: object) -> None:
        for _, running in self._nodes:
            await asyncio.to_thread(running.close)

    def any(self) -> Any:
        """Return a tenant at one of the nodes."""
        return self._visit(self._chance.choice(self._nodes)[0])

    def each(self) -> list[Any]:
        return [self._visit(node) for node, _ in self._nodes]

    async def kill(self) -> None:
        """Kill one of the nodes, and start another in its place."""
        node, running = fallen = self._chance.choice(self._nodes)
        node.process.kill()
        await asyncio.to_thread(running.close)
        self._nodes[self._nodes.index(fallen)] = await asyncio.to_thread(self._start)

    def _start(self) -> tuple[GatewayProcess, ExitStack]:
        running = ExitStack()
        return running.enter_context(self._run()), running


async def queue(cluster: Cluster, words: str, delay: float) -> str:
    """Ask for a response in the background after a while, until somebody takes the request."""
    await asyncio.sleep(delay)
    while True:
        try:
            async with cluster.any() as teller:
                return (await teller.ask(words, background=True)).id
        except LOST:
            await asyncio.sleep(0.05)


async def test_100_responses_under_kills_end_once_each(
    run: Run, visit: Visit, vendor: Vendor
) -> None:
    chance = random.Random(100)
    vendor.pause = 0.2
    async with Cluster(run, visit, chance) as cluster:
        delays = [chance.uniform(0, SPREAD) for _ in range(RESPONSES)]
        async with asyncio.TaskGroup() as tasks:
            queued = [
                tasks.create_task(queue(cluster, f"response {number}", delay))
                for number, delay in enumerate(delays)
            ]
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0, SPREAD / KILLS / 2))
                await cluster.kill()
        ids = [task.result() for task in queued]
        here, there = cluster.each()
        async with here as teller, there as other:
            ended = [await over(teller, each, within=LEASE + 2 * SLACK) for each in ids]
            for number, response in enumerate(ended):
                await assert_told_once(teller, response)
                assert await other.kept(response.id) == response.to_dict()
                assert_right(response, f"response {number}")
    assert len(set(ids)) == RESPONSES
    assert Counter(response.status for response in ended)["completed"] > RESPONSES / 2
    heard = Counter(body["messages"][-1]["content"] for body in vendor.heard)
    assert set(heard) == {f"response {number}" for number in range(RESPONSES)}


def assert_right(response: Response, words: str) -> None:
    """See that a response is whole, or says why it is not."""
    if response.status == "completed":
        assert (response.output_text, len(response.output)) == (words, 1)
        return
    assert (response.status, response.output) == ("failed", [])
    assert response.error is not None
    assert "the node that made it was lost" in response.error.message
