"""Servers that others have written: the official Python SDK's, and the official "everything"."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway_mcp.client import McpClient
from gateway_mcp.connection import Connection, HttpEndpoint, McpProtocolError
from gateway_mcp.testing import everything_server, node

SUITE = Path("node_modules/@modelcontextprotocol/conformance/dist/index.js")
CLIENT = Path(__file__).with_name("conformance_client.py")
HOME = Path(__file__).parents[3] / ".cache" / "mcp"


async def connected(client: McpClient, url: str) -> Connection:
    return await client.connect(HttpEndpoint(url=url, private=True))


async def test_a_server_of_2026(client: McpClient, modern_url: str) -> None:
    connection = await connected(client, modern_url)
    tools = {tool.name: tool for tool in await connection.list_tools()}
    assert (tools["add"].read_only, tools["fail"].read_only) == (True, None)
    assert tools["add"].input_schema["required"] == ["a", "b"]
    called = await connection.call_tool("add", {"a": 2, "b": 3})
    assert (called.content[0]["text"], called.structured) == ("5", {"result": 5})
    assert (await connection.call_tool("fail", {"reason": "tired"})).is_error
    assert (await connection.call_tool("progress", {"steps": 5})).content[0]["text"] == "done"
    await connection.aclose()


async def test_a_server_of_2026_hears_of_a_call_that_is_called_off(
    client: McpClient, modern_url: str
) -> None:
    connection = await connected(client, modern_url)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await connection.call_tool("wait", {"seconds": 60})
    cancellations = "0"
    async with asyncio.timeout(5):
        while cancellations == "0":
            called = await connection.call_tool("cancellations", {})
            cancellations = called.content[0]["text"]


async def test_a_large_answer_is_read_up_to_the_limit(client: McpClient, modern_url: str) -> None:
    connection = await connected(client, modern_url)
    called = await connection.call_tool("repeat", {"text": "x", "times": 400_000})
    assert len(called.content[0]["text"]) == 400_000
    with pytest.raises(McpProtocolError, match="more than the 1048576 bytes"):
        await connection.call_tool("repeat", {"text": "x", "times": 2_000_000})


async def test_the_older_transport_of_the_python_sdk(
    client: McpClient, python_sse_url: str
) -> None:
    connection = await connected(client, python_sse_url)
    called = await connection.call_tool("add", {"a": 2, "b": 3})
    assert called.content[0]["text"] == "5"
    await connection.aclose()


@pytest.mark.parametrize("fixture", ["everything_url", "everything_sse_url"])
async def test_server_everything(
    fixture: str, client: McpClient, request: pytest.FixtureRequest
) -> None:
    connection = await connected(client, request.getfixturevalue(fixture))
    assert {"echo", "get-sum"} <= {tool.name for tool in await connection.list_tools()}
    called = await connection.call_tool("get-sum", {"a": 2, "b": 3})
    assert called.content[0]["text"] == "The sum of 2 and 3 is 5."
    image = await connection.call_tool("get-tiny-image", {})
    assert "image" in {block["type"] for block in image.content}
    slow = {"duration": 0.3, "steps": 3}
    called = await connection.call_tool("trigger-long-running-operation", slow)
    assert "completed" in called.content[0]["text"]
    assert (await connection.call_tool("no-such-tool", {})).is_error
    await connection.aclose()


async def test_a_server_that_was_restarted_gets_a_new_handshake(
    client: McpClient, everything_program: Path
) -> None:
    with everything_server(everything_program, "streamableHttp") as url:
        connection = await connected(client, url)
        await connection.list_tools()
    port = int(url.split(":")[2].partition("/")[0])
    restarted = everything_server(everything_program, "streamableHttp", port)
    with ExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, restarted)
        assert await connection.list_tools()
    await connection.aclose()


@pytest.mark.parametrize("scenario", ["initialize", "tools_call", "sse-retry"])
async def test_the_official_conformance_suite(scenario: str, tmp_path: Path) -> None:
    suite, program = HOME / SUITE, node()
    if not suite.is_file() or program is None:
        pytest.skip("the conformance suite is not installed: run `make mcp-servers`")
    command = [program, "--no-deprecation", str(suite), "client", "--scenario", scenario]
    run = await asyncio.create_subprocess_exec(
        *command,
        *("--command", f"{sys.executable} {CLIENT}"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await run.communicate()
    assert b"OVERALL: PASSED" in output, output.decode()
    assert b"0 failed, 0 warnings" in output, output.decode()
