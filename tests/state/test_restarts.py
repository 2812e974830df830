"""A gateway on SQLite that stops, dies and starts again, and one that is several processes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gateway.testing import event_stream

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream
    from tests.conftest import RunGateway

    from .conftest import Configure, Teller, Vendor, Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEASE = 3.0  # seconds
PATIENCE = 20.0
OVER = ("completed", "failed", "incomplete", "cancelled")


@pytest.fixture
def config(configure: Configure, tmp_path: Path) -> dict[str, Any]:
    return configure({"store": "sqlite", "directory": str(tmp_path), "lease_seconds": LEASE})


async def over(teller: Teller, response_id: str) -> dict[str, Any]:
    """Ask for a response until it is over, and return it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            response = await teller.kept(response_id)
            if response["status"] in OVER:
                return response
            await asyncio.sleep(0.05)


def holds(directory: Path, word: str) -> bool:
    """Say whether a file of the store has `word` in it."""
    return any(word.encode() in file.read_bytes() for file in directory.glob("responses*"))


async def until_gone(word: str, directory: Path) -> None:
    """Wait until `word` is in no file any more: it is purged when the gateway finds the time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if not holds(directory, word):
                return
            await asyncio.sleep(0.02)


async def test_a_chain_with_gaps_outlives_a_purge(
    config: Mapping[str, Any], run_gateway: RunGateway, visit: Visit, vendor: Vendor
) -> None:
    made: list[Any] = []
    directory = Path(config["state"]["directory"])
    with run_gateway(config) as gateway:
        async with visit(gateway) as teller:
            for turn in range(6):
                previous = {"previous_response_id": made[-1].id} if made else {}
                made.append(await teller.ask(str(turn), **previous))
            branch = await teller.ask("the-branch", previous_response_id=made[2].id)
            for gone in (*made[:-1], branch):
                await teller.client.responses.delete(gone.id)
            assert holds(directory, "the-branch")
    with run_gateway(config) as gateway:
        await until_gone("the-branch", directory)
        async with visit(gateway) as teller:
            assert await teller.kept(made[-1].id) == made[-1].to_dict()
            await teller.ask("6", previous_response_id=made[-1].id)
    expected = [str(turn) for turn in range(6) for _ in range(2)]
    assert [text for _, text in vendor.told] == [*expected, "6"]


async def test_what_has_expired_is_gone_after_the_next_start(
    config: dict[str, Any], run_gateway: RunGateway, visit: Visit, vendor: Vendor
) -> None:
    brief = {**config, "state": {**config["state"], "retention_days": 1.5e-9}}
    with run_gateway(brief) as gateway:
        async with visit(gateway) as teller:
            made = await teller.ask("soon-forgotten")
    with run_gateway(config) as gateway:
        await until_gone("soon-forgotten", Path(config["state"]["directory"]))
        async with visit(gateway) as teller:
            with pytest.raises(openai.NotFoundError):
                await teller.kept(made.id)


async def test_background_work_of_a_killed_gateway_is_ended_by_its_successor(
    config: Mapping[str, Any],
    run_gateway: RunGateway,
    visit: Visit,
    vendor: Vendor,
    upstream: ScriptedUpstream,
) -> None:
    word, *_ = vendor.chat({"content": "Luna "}).body
    with run_gateway(config) as gateway:
        async with visit(gateway) as teller:
            vendor.will(event_stream(asyncio.Event()))
            unheard = await teller.ask("unheard", background=True)
            await upstream.received()
            vendor.will(event_stream(word, asyncio.Event()))
            stream = await teller.client.responses.create(
                model="stella", input="half heard", background=True, stream=True
            )
            seen = [(await anext(stream)).to_dict() for _ in range(6)]
            gateway.process.kill()
            await stream.close()
    with run_gateway(config) as gateway:
        async with visit(gateway) as teller:
            begun: Any = seen[0]["response"]
            finished, failed = [await over(teller, each) for each in (unheard.id, begun["id"])]
            assert (finished["status"], failed["status"]) == ("completed", "failed")
            assert (await teller.told(begun["id"]))[: len(seen)] == seen
    assert Counter(body["messages"][-1]["content"] for body in vendor.heard) == {
        "unheard": 2,
        "half heard": 1,
    }


async def test_several_processes_of_one_gateway_share_what_they_keep(
    config: dict[str, Any], run_gateway: RunGateway, visit: Visit, vendor: Vendor
) -> None:
    chance = random.Random(2)
    config["server"]["workers"] = 2
    previous: dict[str, Any] = {}
    with run_gateway(config) as gateway:
        for turn in range(12):
            async with visit(gateway) as teller:  # a connection of its own, to either process
                in_background = chance.random() < 0.5
                made = await teller.ask(str(turn), background=in_background, **previous)
            async with visit(gateway) as teller:
                done = await over(teller, made.id)
                assert done["output"][0]["content"][0]["text"] == str(turn)
            previous = {"previous_response_id": made.id}
    expected = [str(turn) for turn in range(12) for _ in range(2)]
    assert [text for _, text in vendor.told] == expected[:-1]
