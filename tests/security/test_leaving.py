"""Clients that go away in the middle: the server hears of it, and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.testing import Fault, Script, event_stream

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream

    from .conftest import Caller, McpPeer, Serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

KIND = {"content-type": "application/json"}
SLOW = [
    Script(before=(Fault.STALL,)),
    Script(headers=KIND, body=(Fault.STALL,)),
    event_stream(*[step for _ in range(500) for step in (b": wait\n\n", 0.1)]),
]
"""What a server does that takes its time: it does not answer, or begins to, or does not end."""


@pytest.fixture(params=SLOW, ids=["no answer", "no body", "no end"])
def slow(request: pytest.FixtureRequest) -> Script:
    return request.param


class Delay:
    """Has `server` be slow at one method from its begin; `noticed` is set when somebody waits."""

    def __init__(self, server: McpPeer, method: str, slow: Script) -> None:
        self.method = method
        self.noticed = asyncio.Event()
        self._server = server
        self._slow = slow

    def begin(self) -> None:
        self._server.says[self.method] = self._answer

    def _answer(self, message: dict[str, Any]) -> Script:
        self.noticed.set()
        return self._slow


@pytest.fixture(params=["tools/list", "tools/call"])
def delay(request: pytest.FixtureRequest, server: McpPeer, slow: Script) -> Delay:
    return Delay(server, request.param, slow)


async def departed(network: ScriptedUpstream, method: str) -> None:
    """Wait until somebody leaves who has asked for `method`."""
    async with asyncio.timeout(5):
        while (await network.disconnected()).json().get("method") != method:
            pass


async def begun(network: ScriptedUpstream, method: str) -> None:
    async with asyncio.timeout(5):
        while (await network.received()).json().get("method") != method:
            pass


async def test_a_client_that_leaves_takes_its_calls_along(
    delay: Delay, serve: Serve, server: McpPeer, network: ScriptedUpstream, stream: bool
) -> None:
    tools = [server.tool(require_approval="never")]
    async with serve(private_addresses=True, call_seconds=30, seconds=30) as service:
        await service.alpha.ask("echo {}", tools=tools)  # now all connections are open
        before = asyncio.all_tasks()
        delay.begin()
        asking = asyncio.create_task(service.alpha.send("echo {}", tools=tools, stream=stream))
        await delay.noticed.wait()
        asking.cancel()
        await departed(network, delay.method)
        await settled(before | {asking})


async def settled(before: set[asyncio.Task[Any]]) -> None:
    """Wait until there are no more tasks than before."""
    async with asyncio.timeout(5):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=0.1)


async def test_a_session_is_told_that_nobody_waits(
    serve: Serve, server: McpPeer, network: ScriptedUpstream
) -> None:
    """Servers up to 2025-11-25 are to be told: a closed connection means nothing to them."""
    server.says["server/discover"] = Script(status=400)
    server.says["initialize"] = lambda message: server.result(message, protocolVersion="2025-11-25")
    server.says["notifications/initialized"] = Script(status=202)
    server.says["tools/call"] = Script(before=(Fault.STALL,))
    tools = [server.tool(require_approval="never")]
    async with serve(private_addresses=True, call_seconds=30) as service:
        asking = asyncio.create_task(service.alpha.send("echo {}", tools=tools))
        await begun(network, "tools/call")
        asking.cancel()
        await begun(network, "notifications/cancelled")
    [call], [note] = server.messages("tools/call"), server.messages("notifications/cancelled")
    assert note["params"]["requestId"] == call["id"]


async def test_cancelling_in_the_background_reaches_the_server(
    alpha: Caller, server: McpPeer, network: ScriptedUpstream
) -> None:
    server.says["tools/call"] = Script(before=(Fault.STALL,))
    tools = [server.tool(require_approval="never")]
    queued = await alpha.send("echo {}", tools=tools, background=True)
    await begun(network, "tools/call")
    cancelled = await alpha.http.post(f"/responses/{queued.body['id']}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    await departed(network, "tools/call")


async def test_others_go_on_when_one_of_many_leaves(
    serve: Serve, server: McpPeer, network: ScriptedUpstream
) -> None:
    """They share a connection and a listing, which the first has asked for."""
    gate = asyncio.Event()

    def slowly(message: dict[str, Any]) -> Script:
        server.says.pop("tools/list")
        answer = server.result(message, tools=server.tools, ttlMs=0)
        return Script(headers=answer.headers, body=(gate, *answer.body))

    server.says["tools/list"] = slowly
    tools = [server.tool(require_approval="never")]
    async with serve(private_addresses=True) as service, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(service.alpha.send("echo {}", tools=tools))
        await begun(network, "tools/list")
        others = [tasks.create_task(service.alpha.ask("echo {}", tools=tools)) for _ in range(5)]
        first.cancel()
        gate.set()
        done = [await other for other in others]
    assert len(server.calls) == len(done)
