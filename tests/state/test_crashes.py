"""A gateway on SQLite that is killed under load, again and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

if TYPE_CHECKING:
    from tests.conftest import RunGateway

    from .conftest import Configure, Teller, Vendor, Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

ROUNDS = 20
CLIENTS = 8
SHORTEST, LONGEST = 0.05, 0.4  # seconds that a gateway lives under load
PAUSE = 0.01  # seconds in the middle of an answer
AT_ONCE = 16

Seen = dict[str, dict[str, Any]]


class Load:
    """Clients that talk, each on a chain of its own, until their gateway is gone.

    `seen` is what had reached them by then: responses by id, whole or at the end of a stream.
    """

    def __init__(self, teller: Teller, seen: Seen) -> None:
        self._teller = teller
        self._seen = seen

    async def talk(self, client: int) -> None:
        previous = None
        turn = 0
        while True:
            try:
                made = await self._teller.ask(
                    f"{client}: {turn}", stream=bool(turn % 2), previous_response_id=previous
                )
            except (openai.APIError, httpx2.TransportError, EOFError):
                return
            self._seen[made.id] = made.to_dict()
            previous, turn = made.id, turn + 1


async def assert_all_there(teller: Teller, seen: Seen) -> None:
    """See that everything in `seen` is kept as it was seen."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(response_id: str, response: Mapping[str, Any]) -> None:
        async with gate:
            assert await teller.kept(response_id) == response

    await asyncio.gather(*(look(*each) for each in seen.items()))


async def test_what_a_client_had_seen_outlives_20_kills(
    configure: Configure,
    run_gateway: RunGateway,
    visit: Visit,
    vendor: Vendor,
    tmp_path: Path,
) -> None:
    chance = random.Random(20)
    vendor.pause = PAUSE
    config = configure({"store": "sqlite", "directory": str(tmp_path)})
    everything: Seen = {}
    latest: Seen = {}

    for _ in range(ROUNDS):
        with run_gateway(config) as gateway:
            async with visit(gateway) as teller, asyncio.TaskGroup() as clients:
                await assert_all_there(teller, latest)
                latest = {}
                load = Load(teller, latest)
                for number in range(CLIENTS):
                    clients.create_task(load.talk(number))
                await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                gateway.process.kill()
        everything |= latest
    assert len(everything) > ROUNDS * CLIENTS
    with run_gateway(config) as gateway:
        async with visit(gateway) as teller:
            await assert_all_there(teller, everything)
    print("SEEN", len(everything))
