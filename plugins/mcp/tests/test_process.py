"""Servers that are processes: started, spoken to, drained, and ended with all their children."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from select import select

import pytest
from msgspec import json

from gateway_mcp.client import McpClient
from gateway_mcp.connection import Connection, McpUnreachableError, ProcessEndpoint
from gateway_mcp.testing import PYTHON_SERVER, node

SERVER = str(Path(__file__).with_name("stdio_server.py"))
ENDPOINT = ProcessEndpoint(
    command=sys.executable, args=(SERVER,), environment={"TOKEN": "the-secret-token"}
)


async def said(connection: Connection, name: str, **arguments: object) -> str:
    called = await connection.call_tool(name, dict(arguments))
    return called.content[0]["text"]


async def gone(pid: int) -> None:
    """Wait until there is no such process any more."""
    await asyncio.to_thread(_wait_until_gone, pid)


def _wait_until_gone(pid: int) -> None:
    with suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        select([process], [], [], 10)
        os.close(process)


async def test_a_process_lists_and_calls(client: McpClient) -> None:
    connection = await client.connect(ENDPOINT)
    assert [tool.name for tool in await connection.list_tools()] == ["echo"]
    texts = await asyncio.gather(*(said(connection, "echo", number=n) for n in range(20)))
    assert [json.decode(text)["number"] for text in texts] == list(range(20))
    await connection.aclose()
    assert not connection.alive


async def test_a_process_sees_nothing_of_our_environment(
    client: McpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "ours")
    connection = await client.connect(ENDPOINT)
    environment = json.decode(await said(connection, "environment"))
    assert environment["TOKEN"] == "the-secret-token"
    assert "OPENAI_API_KEY" not in environment
    await connection.aclose()


async def test_what_a_process_says_besides_goes_to_the_debug_log_without_secrets(
    client: McpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "gateway.mcp")
    connection = await client.connect(ENDPOINT)
    assert await said(connection, "noise", a=1) == '{"a": 1}'
    await connection.aclose()
    assert "this is no JSON" in caplog.text
    assert "secret is ***" in caplog.text
    assert "the-secret-token" not in caplog.text


@pytest.mark.parametrize("deed", ["crash", "flood", "line"])
async def test_a_process_that_ends_or_floods_fails_whoever_waits(
    deed: str, client: McpClient
) -> None:
    connection = await client.connect(ENDPOINT)
    calls = (said(connection, name) for name in (deed, "echo", "echo"))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    assert not connection.alive
    await connection.aclose()
    again = await client.connect(ENDPOINT)  # a new process
    assert await said(again, "echo", a=1) == '{"a": 1}'
    await again.aclose()


async def test_closing_ends_a_process_that_does_not_listen_and_its_children(
    client: McpClient,
) -> None:
    connection = await client.connect(ENDPOINT)
    child = int(await said(connection, "child"))
    os.kill(child, 0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await said(connection, "never")
    async with asyncio.timeout(5):
        await connection.aclose()
        await gone(child)


async def test_leaving_the_client_ends_its_processes() -> None:
    async with McpClient() as client:
        connection = await client.connect(ENDPOINT)
        child = int(await said(connection, "child"))
    async with asyncio.timeout(5):
        await gone(child)
    assert not connection.alive


async def test_a_command_that_does_not_exist_is_an_error(client: McpClient) -> None:
    with pytest.raises(McpUnreachableError, match="cannot be started"):
        await client.connect(ProcessEndpoint(command="there-is-no-such-program"))


async def test_a_command_that_is_no_server_is_an_error(client: McpClient) -> None:
    with pytest.raises(McpUnreachableError, match="process"):
        await client.connect(ProcessEndpoint(command="/bin/true"))


async def test_a_connection_that_is_called_off_leaves_no_process(
    client: McpClient, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    deed = f"import os, time; open({str(pipe)!r}, 'w').write(str(os.getpid())); time.sleep(3600)"
    deaf = ProcessEndpoint(command=sys.executable, args=("-c", deed))
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        connecting = group.create_task(client.connect(deaf))
        pid = int(await asyncio.to_thread(pipe.read_text))
        connecting.cancel()
        await gone(pid)


async def test_the_official_sdk_is_understood(client: McpClient) -> None:
    connection = await client.connect(
        ProcessEndpoint(command=sys.executable, args=(str(PYTHON_SERVER), "stdio"))
    )
    tools = {tool.name: tool for tool in await connection.list_tools()}
    assert tools["add"].read_only
    assert await said(connection, "add", a=2, b=3) == "5"
    await connection.aclose()


async def test_server_everything_is_understood(client: McpClient, everything_program: Path) -> None:
    program = node()
    assert program is not None
    connection = await client.connect(
        ProcessEndpoint(command=program, args=(str(everything_program), "stdio"))
    )
    assert "get-sum" in {tool.name for tool in await connection.list_tools()}
    assert await said(connection, "get-sum", a=2, b=3) == "The sum of 2 and 3 is 5."
    await connection.aclose()


def test_printing_an_endpoint_shows_no_argument_and_no_environment() -> None:
    shown = repr(ProcessEndpoint(command="npx", args=("--key=1",), environment={"A": "b"}))
    assert shown == "ProcessEndpoint('npx')"
