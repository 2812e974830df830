"""Two gateways on one database honour an approval once between them."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.core.keeper import Keeper
from gateway.core.tool_loop.approvals import Approvals
from gateway.core.tool_loop.marks import Marks
from gateway.errors import InvalidRequestError
from gateway.ids import Ids, Seal
from gateway.plugin import StoreSettings
from gateway.testing.store_samples import TENANT
from gateway.types.items import McpApprovalResponse
from gateway_postgres.store import PostgresStore, open_store

ADDRESSES = {"dice": "https://dice.example/mcp"}


@pytest.fixture
async def other(settings: StoreSettings) -> AsyncGenerator[PostgresStore]:
    async with open_store(settings) as store:
        yield store


def approvals_on(store: PostgresStore) -> Approvals:
    ids = Ids()
    marks = Marks(Keeper(store, retention=3600, now=ids.now))
    return Approvals(Seal(b"a secret that both have"), ids, marks, TENANT, 3600)


async def test_of_two_nodes_one_honours_an_approval(
    store: PostgresStore, other: PostgresStore
) -> None:
    nodes = [approvals_on(store), approvals_on(other)]
    for turn in range(20):
        asked = nodes[turn % 2].request(
            server_label="dice", name="roll", arguments="{}", address=ADDRESSES["dice"]
        )
        answer = McpApprovalResponse(approval_request_id=str(asked.id), approve=True)
        racing = [
            node.honour(approved)
            for node in nodes * 5
            for approved in node.pending([answer], [asked], ADDRESSES).approved
        ]
        outcomes = await asyncio.gather(*racing, return_exceptions=True)
        assert outcomes.count(None) == 1
        assert sum(isinstance(found, InvalidRequestError) for found in outcomes) == 9
