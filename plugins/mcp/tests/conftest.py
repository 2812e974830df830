"""Servers for the tests: real ones, and one that does as it is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from gateway.testing.upstream import ScriptedUpstream
from gateway_mcp.client import McpClient
from gateway_mcp.connection import Limits
from gateway_mcp.testing import everything_script, everything_server, node, python_server

HOME = Path(__file__).parents[3] / ".cache" / "mcp"


@pytest.fixture
async def client() -> AsyncGenerator[McpClient]:
    """Return a client that reads 1 MiB of an answer."""
    async with McpClient(Limits(answer_bytes=1024 * 1024)) as client:
        yield client


@pytest.fixture
async def scripted() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as server:
        yield server


@pytest.fixture(scope="session")
def everything_program() -> Path:
    """Return the program of server-everything, which `make mcp-servers` installs."""
    script = everything_script(HOME)
    if script is None or node() is None:
        pytest.skip("server-everything is not installed: run `make mcp-servers`")
    return script


@pytest.fixture(scope="session")
def everything_url(everything_program: Path) -> Generator[str]:
    with everything_server(everything_program, "streamableHttp") as url:
        yield url


@pytest.fixture(scope="session")
def everything_sse_url(everything_program: Path) -> Generator[str]:
    with everything_server(everything_program, "sse") as url:
        yield url


@pytest.fixture(scope="session")
def modern_url() -> Generator[str]:
    """Return the URL of a server that speaks 2026-07-28."""
    with python_server() as url:
        yield url


@pytest.fixture(scope="session")
def python_sse_url() -> Generator[str]:
    with python_server("sse") as url:
        yield url
