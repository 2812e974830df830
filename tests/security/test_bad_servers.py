"""Servers that hang, flood and lie: each ends visibly and soon, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import pytest_asyncio

from gateway.testing import Fault, Script, event_stream, json_answer, page

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess

    from .conftest import Caller, McpPeer, Says, Told

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc"),
]

MEGABYTE = b"x" * 1024 * 1024
MEBIBYTES = 64  # that the process may need besides, for four requests at once
AT_ONCE = 4
SECONDS = 40.0  # to end in, with listings that may take 10 and a machine that does other things
PROMPTLY = 8.0  # seconds: less than a listing may take, and so not behind one
KIND = {"content-type": "application/json"}
INTRODUCTIONS = ["server/discover", "initialize", ""]  # the last is a GET
NOT_LISTED = ("Error retrieving tool list from MCP server: 'docs'. ",)
PROGRESS = b'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n'


def stating(body: bytes, **headers: str) -> Script:
    return Script(headers={**KIND, **headers}, body=(body,))


def nested(opening: bytes, closing: bytes) -> Callable[[dict[str, Any]], Script]:
    """Return an answer whose JSON is 100,000 levels deep."""

    def answer(message: dict[str, Any]) -> Script:
        deep = opening * 100_000 + b"1" + closing * 100_000
        return stating(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message["id"], deep))

    return answer


def deep_inside(message: dict[str, Any]) -> Script:
    """Return what all methods could be answered with, but for a member of 500 levels."""
    deep = b"[" * 500 + b"]" * 500
    known = b'"supportedVersions":["2026-07-28"],"tools":[],"content":[]'
    told = b'{"resultType":"complete",%b,"structuredContent":%b}' % (known, deep)
    return stating(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message["id"], told))


def of_another(message: dict[str, Any]) -> Script:
    return json_answer({"jsonrpc": "2.0", "id": message["id"] + 1, "result": {}})


def result(value: Any) -> Callable[[dict[str, Any]], Script]:
    def answer(message: dict[str, Any]) -> Script:
        return json_answer({"jsonrpc": "2.0", "id": message["id"], "result": value})

    return answer


FLOODS: dict[str, Says] = {
    "a body": Script(headers=KIND, body=(b'{"a":"', *[MEGABYTE] * 100), framing="chunked"),
    "an event": event_stream(b"data: ", *[MEGABYTE] * 100),
    "small events": event_stream(*[PROGRESS * 14_000] * 100),
    "comments": event_stream(*[b": x\n" * 250_000] * 100),
    "headers": Script(headers={"x-flood": "x" * 10_000_000}),
    "an error": Script(status=500, headers=KIND, body=(MEGABYTE,) * 100, framing="chunked"),
}
HANGS: dict[str, Says] = {
    "no answer": Script(before=(Fault.STALL,)),
    "half an answer": Script(headers=KIND, body=(b'{"jsonrpc":', Fault.STALL)),
    "events without end": event_stream(*[step for _ in range(300) for step in (PROGRESS, 0.1)]),
    "drops": Script(headers=KIND, body=tuple(step for _ in range(300) for step in (b" ", 0.1))),
}
LIES: dict[str, Says] = {
    "a page": page("<h1>Welcome</h1>"),
    "no JSON": stating(b"{"),
    "nothing": stating(b""),
    "null": stating(b"null"),
    "no text": stating(b"\xff\xfe\x00{"),
    "events called JSON": stating(PROGRESS),
    "JSON called events": event_stream(b'{"jsonrpc":"2.0","id":1,"result":{}}'),
    "packed": stating(b"\x1f\x8b\x08\x00", **{"content-encoding": "gzip"}),
    "another's": of_another,
    "a text": result("done"),
    "a list": result([1, 2]),
    "wrong members": result({"tools": [{"name": 1}], "content": "x"}),
    "deep lists": nested(b"[", b"]"),
    "deep inside": deep_inside,
    "deep objects": nested(b'{"a":', b"}"),
    "cut": Script(headers=KIND, body=(b'{"jsonrpc"', Fault.CUT), framing="chunked"),
    "reset": Script(before=(Fault.RESET,)),
    "no HTTP": Script(before=(b"SSH-2.0-OpenSSH_9\r\n\r\n", Fault.CUT)),
    "accepted": Script(status=202),
    "not found": Script(status=404),
    "unavailable": Script(status=503, headers={"retry-after": "3600"}),
}


def every(*kinds: Mapping[str, Says]) -> pytest.MarkDecorator:
    found = [pytest.param(says, id=name) for kind in kinds for name, says in kind.items()]
    return pytest.mark.parametrize("says", found)


class Watched:
    """How the gateway does meanwhile: the peak of its memory, and how soon it tells of itself."""

    def __init__(self, process: GatewayProcess) -> None:
        self._process = process
        self._directory = Path("/proc", str(process.process.pid))
        self.slowest = 0.0

    def memory(self, kind: str) -> float:
        """Return a line of the process's status in MiB: `VmRSS` now, `VmHWM` at its peak."""
        lines = (self._directory / "status").read_text().splitlines()
        [size] = [line.split()[1] for line in lines if line.startswith(f"{kind}:")]
        return int(size) / 1024

    def forget(self) -> None:
        self.slowest = 0.0
        (self._directory / "clear_refs").write_text("5")

    async def ask(self) -> None:
        async with httpx2.AsyncClient(base_url=self._process.url) as http:
            while True:
                begun = time.perf_counter()
                assert (await http.get("/health/live")).status_code == 200
                self.slowest = max(self.slowest, time.perf_counter() - begun)
                await asyncio.sleep(0.02)


class Crowd:
    """Asks for bad servers and, meanwhile, for a good one, and sees that the gateway stays small
    and prompt.
    """

    def __init__(self, gateway: GatewayProcess, alpha: Caller, beta: Caller) -> None:
        self._watched = Watched(gateway)
        self._alpha = alpha
        self._beta = beta

    async def ask(self, *servers: McpPeer) -> list[Told]:
        """Return the answers to requests with each server, half of them streamed."""
        async with self.watching(), asyncio.TaskGroup() as tasks:
            bad = [
                tasks.create_task(self._ask(server, stream=bool(number % 2)))
                for number in range(AT_ONCE)
                for server in servers
            ]
            tasks.create_task(self._ask_good_server())
        return [task.result() for task in bad]

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        watched = self._watched
        watched.forget()
        before = watched.memory("VmRSS")
        asking = asyncio.create_task(watched.ask())
        try:
            async with asyncio.timeout(SECONDS):
                yield
        finally:
            asking.cancel()
            await asyncio.wait([asking])
        assert asking.cancelled(), asking.exception()
        assert watched.memory("VmHWM") - before < MEBIBYTES
        assert watched.slowest < PROMPTLY

    async def _ask(self, server: McpPeer, *, stream: bool) -> Told:
        tools = [server.tool(require_approval="never")]
        return await self._alpha.send("echo {}", tools=tools, stream=stream)

    async def _ask_good_server(self) -> None:
        tools = [{"type": "mcp", "server_label": "vault"}]
        told = await self._beta.ask('echo {"text": "hi"}', tools=tools, stream=True)
        assert told.kinds == ["mcp_list_tools", "mcp_call", "message"]
        assert told.item("mcp_call")["output"] == '{"text": "hi"}'


@pytest_asyncio.fixture(loop_scope="session")
async def crowd(gateway: GatewayProcess, alpha: Caller, beta: Caller, vault: McpPeer) -> Crowd:
    """Return a crowd at a gateway whose first megabytes are behind it."""
    crowd = Crowd(gateway, alpha, beta)
    await crowd.ask()
    return crowd


def assert_not_listed(told: Told) -> None:
    message = told.problem["message"]
    assert message.startswith(NOT_LISTED), told.text
    assert len(message) < 300
    if told.events:
        assert [event["type"] for event in told.events[-2:]] == ["error", "response.failed"]
        assert told.item("mcp_list_tools")["error"] == message
    else:
        assert (told.status, told.problem["code"]) == (424, "external_connector_error")


def assert_failed_call(told: Told) -> None:
    assert (told.status, told.body["status"]) == (200, "completed"), told.text
    assert told.kinds == ["mcp_list_tools", "mcp_call", "message"]
    call = told.item("mcp_call")
    assert (call["status"], call["output"]) == ("failed", None)
    assert call["error"]["type"] in ("http_error", "mcp_protocol_error")
    assert 0 < len(call["error"]["message"]) < 300


@every(FLOODS, LIES)
async def test_a_server_that_cannot_be_introduced_fails_the_response(
    says: Says, crowd: Crowd, server: McpPeer
) -> None:
    for method in INTRODUCTIONS:
        server.says[method] = says
    for told in await crowd.ask(server):
        assert_not_listed(told)


@every(FLOODS, LIES)
async def test_a_server_that_cannot_be_listed_fails_the_response(
    says: Says, crowd: Crowd, server: McpPeer
) -> None:
    server.says["tools/list"] = says
    for told in await crowd.ask(server):
        assert_not_listed(told)


@every(FLOODS, HANGS, LIES)
async def test_a_call_that_fails_is_told_and_the_model_goes_on(
    says: Says, crowd: Crowd, server: McpPeer
) -> None:
    server.says["tools/call"] = says
    for told in await crowd.ask(server):
        assert_failed_call(told)


async def test_servers_that_hang_are_given_up_all_at_once(
    crowd: Crowd, open_server: Callable[[], McpPeer]
) -> None:
    """They take as long as one of them."""
    servers: list[McpPeer] = []
    for says in HANGS.values():
        for methods in (INTRODUCTIONS, ["tools/list"]):
            server = open_server()
            server.says |= dict.fromkeys(methods, says)
            servers.append(server)
    for told in await crowd.ask(*servers):
        assert_not_listed(told)


async def test_a_listing_without_end_is_given_up(crowd: Crowd, server: McpPeer) -> None:
    tool = {"name": "echo", "description": "x" * 10_000, "inputSchema": {"type": "object"}}
    server.says["tools/list"] = result({"tools": [tool], "nextCursor": "more"})
    for told in await crowd.ask(server):
        assert_not_listed(told)
    assert len(server.messages("tools/list")) <= 200


async def test_a_dead_server_is_not_asked_by_everybody(alpha: Caller, server: McpPeer) -> None:
    for method in INTRODUCTIONS:
        server.says[method] = Script(status=503)
    for _ in range(20):
        assert_not_listed(await alpha.send("echo {}", tools=[server.tool()]))
    assert len(server.requests) <= 4


async def test_a_long_output_is_cut_off(crowd: Crowd, alpha: Caller, server: McpPeer) -> None:
    """It is less than an answer may have, and more than an output."""
    content = [{"type": "text", "text": "é\n" * 1_000_000}]
    server.says["tools/call"] = result({"content": content, "resultType": "complete"})
    async with crowd.watching():
        told = await alpha.ask("echo {}", tools=[server.tool(require_approval="never")])
    output = told.item("mcp_call")["output"]
    assert len(output.encode()) < 1024 * 1024 + 200
    assert "cut off" in output[-100:]
