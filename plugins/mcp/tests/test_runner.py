"""The runner with real servers: what models may call, what comes of it, and what is kept apart."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequestError, ToolError
from gateway.plugin import (
    Config,
    Invocation,
    McpServer,
    Secret,
    ToolFunction,
    ToolOutcome,
    ToolSettings,
)
from gateway.plugin.manager import Plugins
from gateway.testing.script import Script, json_answer
from gateway.testing.upstream import Received, ScriptedUpstream, deaf_port
from gateway.types.tools import McpTool, McpToolFilter
from gateway_mcp import McpRunner
from gateway_mcp.client import McpClient
from gateway_mcp.connection import Connection, Endpoint
from gateway_mcp.testing import PYTHON_SERVER

KEY = "invented-credential"


def tool(**members: Any) -> McpTool:
    return msgspec.convert({"type": "mcp", "server_label": "docs", **members}, McpTool)


def config(*servers: McpServer, **limits: Any) -> Config:
    settings = msgspec.convert({"private_addresses": True, **limits}, ToolSettings)
    state: Any = None  # a runner has no use for it
    return Config(state=state, tools=settings, mcp_servers=servers)


@asynccontextmanager
async def running(*servers: McpServer, **limits: Any) -> AsyncGenerator[McpRunner]:
    async with McpRunner(config(*servers, **limits), McpClient()) as runner:
        yield runner


async def call(
    runner: McpRunner, used: McpTool, name: str, arguments: str, tenant: str = "shop"
) -> ToolOutcome:
    return await runner.run(Invocation(tool=used, name=name, arguments=arguments, tenant=tenant))


def names(functions: Any) -> list[str]:
    return [function.name for function in functions]


async def test_the_plugin_offers_the_runner() -> None:
    [runner] = [
        one for one in Plugins(entry_points=True).tool_runners(config()) if "mcp" in one.types
    ]
    assert isinstance(runner, McpRunner)
    async with runner:
        assert not runner.insists(tool())


async def test_a_modern_server_is_listed_and_called(modern_url: str) -> None:
    async with running() as runner:
        used = tool(server_url=modern_url, require_approval={"never": {"read_only": True}})
        runner.check(used, "shop")
        functions = {one.name: one for one in await runner.functions(used, "shop", None)}
        assert functions["add"].read_only
        assert not functions["add"].needs_approval
        assert functions["fail"].needs_approval
        assert functions["add"].parameters["required"] == ["a", "b"]
        assert await call(runner, used, "add", '{"a": 1, "b": 2}') == ToolOutcome(output="3")


async def test_a_server_of_the_older_era_is_listed_and_called(everything_url: str) -> None:
    async with running() as runner:
        used = tool(server_url=everything_url, allowed_tools=["echo", "get-tiny-image"])
        functions = await runner.functions(used, "shop", None)
        assert names(functions) == ["echo", "get-tiny-image"]
        outcome = await call(runner, used, "echo", '{"message": "hello"}')
        assert outcome == ToolOutcome(output="Echo: hello")
        picture = await call(runner, used, "get-tiny-image", "")
        assert '"type":"image"' in picture.output
        assert len(picture.output) < 1000


async def test_a_command_of_the_operators_is_run_for_those_who_may_use_it() -> None:
    command = McpServer(
        label="docs",
        command=sys.executable,
        args=(str(PYTHON_SERVER), "stdio"),
        allowed_tools=McpToolFilter(read_only=True),
        require_approval="never",
        tenants=("shop",),
        timeout=60.0,
    )
    async with running(command) as runner:
        assert runner.insists(tool())
        functions = await runner.functions(tool(), "shop", None)
        assert [(one.name, one.needs_approval) for one in functions] == [("add", False)]
        outcome = await call(runner, tool(), "add", '{"a": 20, "b": 22}')
        assert outcome == ToolOutcome(output="42")
        with pytest.raises(InvalidRequestError, match="has no server 'docs'"):
            runner.check(tool(), "lab")


@pytest.mark.parametrize("name", ["fail", "invented"])
async def test_what_is_not_allowed_is_never_sent(name: str, modern_url: str) -> None:
    server = McpServer(
        label="docs", url=modern_url, allowed_tools=McpToolFilter(read_only=True), timeout=60.0
    )
    async with running(server) as runner:
        outcome = await call(runner, tool(), name, '{"reason": "x"}')
    assert outcome.error == {
        "type": "mcp_protocol_error",
        "code": -32602,
        "message": f"Unknown tool: {name}",
    }


async def test_what_the_model_made_up_never_reaches_the_server() -> None:
    """Neither connection nor listing: the only server is one that does not exist."""
    used = tool(server_url="http://127.0.0.1:1/mcp", allowed_tools=["ask"])
    async with running() as runner:
        for name, arguments in (("other", "{}"), ("ask", "[1]"), ("ask", "{"), ("ask", "[" * 9999)):
            error = (await call(runner, used, name, arguments)).error
            assert error is not None
            assert (error["type"], error["code"]) == ("mcp_protocol_error", -32602)


async def test_a_listing_in_the_context_is_trusted_of_a_clients_server() -> None:
    known = [ToolFunction(name="ask", read_only=True), ToolFunction(name="delete")]
    used = tool(
        server_url="http://127.0.0.1:1/mcp", require_approval={"never": {"tool_names": ["ask"]}}
    )
    async with running() as runner:
        functions = await runner.functions(used, "shop", known)
        assert [(one.name, one.needs_approval) for one in functions] == [
            ("ask", False),
            ("delete", True),
        ]
        with pytest.raises(ToolError):
            await runner.functions(used, "shop", [])  # clients replay listings without their tools


async def test_what_a_client_says_of_an_operators_server_does_not_count(modern_url: str) -> None:
    known = [ToolFunction(name="invented", read_only=True)]
    async with running(McpServer(label="docs", url=modern_url, timeout=60.0)) as runner:
        functions = await runner.functions(tool(), "shop", known)
    assert "add" in names(functions)
    assert "invented" not in names(functions)
    assert all(one.needs_approval for one in functions)


async def test_a_tool_that_fails_says_so_and_is_no_exception(modern_url: str) -> None:
    async with running() as runner:
        outcome = await call(runner, tool(server_url=modern_url), "fail", '{"reason": "no luck"}')
    assert outcome.output.startswith("Error executing tool fail")
    assert outcome.error is not None
    assert outcome.error["type"] == "mcp_tool_execution_error"
    assert outcome.error["content"] == [{"type": "text", "text": outcome.output}]


async def test_a_call_that_takes_too_long_is_called_off(modern_url: str) -> None:
    async with running(call_seconds=0.2) as runner:
        used = tool(server_url=modern_url)
        await runner.functions(used, "shop", None)
        outcome = await call(runner, used, "wait", '{"seconds": 30}')
    message = "the server took longer than 0.2 seconds"
    assert outcome.error == {"type": "http_error", "code": 504, "message": message}
    assert outcome.output == message


async def test_a_large_output_is_cut(modern_url: str) -> None:
    async with running(result_bytes=100) as runner:
        used = tool(server_url=modern_url)
        outcome = await call(runner, used, "repeat", '{"text": "abc", "times": 1000}')
    assert outcome.output == f"{'abc' * 33}a\n[cut off here: the output has 3000 bytes]"


async def test_a_server_that_cannot_be_reached_is_an_outcome_of_a_call() -> None:
    async with running() as runner:
        outcome = await call(runner, tool(server_url="http://127.0.0.1:1/mcp"), "ask", "{}")
    assert outcome.error is not None
    assert (outcome.error["type"], outcome.error["code"]) == ("http_error", 502)
    assert "127.0.0.1" not in outcome.output


async def test_a_server_that_does_not_answer_fails_in_its_time() -> None:
    with deaf_port() as url:
        server = McpServer(label="docs", url=f"{url}/mcp", timeout=0.1)
        async with running(server) as runner:
            asked = [runner.functions(tool(), "shop", None) for _ in range(3)]
            failures = await asyncio.gather(*asked, return_exceptions=True)
    reason = "the server took longer than 0.1 seconds"
    told = f"Error retrieving tool list from MCP server: 'docs'. {reason}"
    assert [str(failure) for failure in failures] == [told] * 3


async def test_the_name_of_a_private_address_is_refused_when_it_is_connected_to() -> None:
    async with running(private_addresses=False) as runner:
        used = tool(server_url="http://localhost:1/mcp")
        runner.check(used, "shop")
        with pytest.raises(ToolError, match="Error retrieving tool list from MCP server: 'docs'"):
            await runner.functions(used, "shop", None)
        with pytest.raises(InvalidRequestError, match="which may not be used here"):
            runner.check(tool(server_url="http://127.0.0.1:1/mcp"), "shop")


async def test_the_status_of_a_refusal_is_told(scripted: ScriptedUpstream) -> None:
    scripted.handle("/mcp", lambda _: json_answer({"error": "no"}, status=401))
    async with running() as runner:
        with pytest.raises(ToolError) as raised:
            await runner.functions(tool(server_url=f"{scripted.url}/mcp"), "shop", None)
    assert raised.value.status == 424
    assert raised.value.message == (
        "Error retrieving tool list from MCP server: 'docs'. Http status code: 401 (Unauthorized)"
    )


def echo(received: Received) -> Script:
    """Answer every request with an error that repeats what it was sent with."""
    error = {"code": -32000, "message": f"who is {received.headers['authorization']}?"}
    asked = msgspec.json.decode(received.body)
    return json_answer({"jsonrpc": "2.0", "id": asked.get("id"), "error": error})


async def test_credentials_are_sent_and_never_told(scripted: ScriptedUpstream) -> None:
    scripted.handle("/mcp", echo)
    url = f"{scripted.url}/mcp"
    own = McpServer(label="wiki", url=url, authorization=Secret(KEY))
    brought = tool(server_url=url, authorization=KEY)
    async with running(own) as runner:
        for used in (brought, tool(server_label="wiki")):
            with pytest.raises(ToolError) as raised:
                await runner.functions(used, "shop", None)
            assert raised.value.message.endswith("***?")
        outcome = await call(runner, tool(server_url=f"{url}?a=b", authorization=KEY), "ask", "{}")
    assert {received.headers["authorization"] for received in scripted.requests} == {
        f"Bearer {KEY}"
    }
    assert KEY not in repr((outcome, raised.value, own, brought))


async def test_a_clients_server_is_never_shared_with_other_tenants(modern_url: str) -> None:
    connections: list[object] = []

    class Counting(McpClient):
        async def connect(self, endpoint: Endpoint, /) -> Connection:
            connections.append(endpoint)
            return await super().connect(endpoint)

    async with McpRunner(config(), Counting()) as runner:
        for tenant in ("shop", "lab", "shop"):
            await runner.functions(tool(server_url=modern_url), tenant, None)
    assert len(connections) == 2
