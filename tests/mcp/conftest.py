"""Real MCP servers, a gateway process that runs their tools, and models behind it.

All of them are started once. The models live in an event loop in a thread, so that clients may be
synchronous. What models say is invented.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import openai
import pytest
from msgspec import Struct

from gateway.testing import ScriptedUpstream
from gateway.testing.openai import ImitatedOpenAI
from gateway_mcp.testing import everything_script, everything_server, node, python_server

from . import models, thinkers

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

HOME = Path(__file__).parents[2] / ".cache" / "mcp"
KINDS = ("passed", "chat", "run")
"""Models whose vendor runs MCP servers itself, cannot run any, and could but is not let."""


class Elsewhere(Protocol):
    """Runs a coroutine in the event loop of the thread, and waits for what it brings."""

    def __call__(self, call: Coroutine[Any, Any, Any], /) -> Any: ...


class RealServer(Struct, frozen=True, kw_only=True):
    """An MCP server with a function `name` that adds two numbers, and how it says `2 + 3`."""

    url: str
    name: str
    five: str

    def tool(self, **changes: Any) -> Any:
        """Return the server as a tool that can only add."""
        tool = {"type": "mcp", "server_label": "sums", "server_url": self.url}
        return {**tool, "allowed_tools": [self.name], **changes}


@pytest.fixture(scope="session")
def elsewhere() -> Generator[Elsewhere]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield lambda call: asyncio.run_coroutine_threadsafe(call, loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def upstream(elsewhere: Elsewhere) -> Generator[ScriptedUpstream]:
    """Return a server where the scripted model speaks both of its APIs."""
    upstream = ScriptedUpstream()
    elsewhere(upstream.__aenter__())
    upstream.handle("/chat/v1/chat/completions", models.chat)
    upstream.handle("/v1/responses", models.responses)
    for thinker in thinkers.ALL:
        upstream.handle(thinker.path, thinker.answer)
    yield upstream
    elsewhere(upstream.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def imitation() -> Generator[ImitatedOpenAI]:
    with ImitatedOpenAI() as openai:
        yield openai


@pytest.fixture(scope="session")
def modern_url() -> Generator[str]:
    """Return the URL of a server of the official Python SDK, which speaks 2026-07-28."""
    with python_server() as url:
        yield url


@pytest.fixture(scope="session")
def everything_url() -> Generator[str]:
    """Return the URL of server-everything, which speaks 2025-11-25."""
    script = everything_script(HOME)
    if script is None or node() is None:
        pytest.skip("server-everything is not installed: run `make mcp-servers`")
    with everything_server(script, "streamableHttp") as url:
        yield url


@pytest.fixture(scope="session", params=["everything", "modern"])
def server(request: pytest.FixtureRequest) -> RealServer:
    url = request.getfixturevalue(f"{request.param}_url")
    if request.param == "modern":
        return RealServer(url=url, name="add", five="5")
    return RealServer(url=url, name="get-sum", five="The sum of 2 and 3 is 5.")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Return the name of a model; see `KINDS`."""
    return request.param


def entry(name: str, model: str, base_url: str, **params: Any) -> dict[str, Any]:
    given = {"model": model, "base_url": base_url, "api_key": "sk-invented", "retries": 0}
    return {"model_name": name, "params": {**given, **params}}


@pytest.fixture(scope="session")
def config(upstream: ScriptedUpstream, imitation: ImitatedOpenAI, modern_url: str) -> Any:
    """Return a configuration with a model of each kind, and a server of the operator's."""
    native, recorded = f"{upstream.url}/v1", f"{upstream.url}/recorded"
    return {
        "model_list": [
            entry("passed", "openai/gpt", imitation.url),
            entry("chat", "openai_compatible/llama", f"{upstream.url}/chat/v1"),
            entry("run", "openai/gpt", native, tools="gateway"),
            entry("native", "openai/gpt", native),
            entry("claude", "anthropic/claude-opus-5-5", upstream.url),
            entry("gemini", "gemini/gemini-3.5-flash", f"{upstream.url}/v1beta"),
            entry("thinker", "openai/gpt", f"{upstream.url}/thinker/v1", tools="gateway"),
            entry("recorded-chat", "openai_compatible/llama", f"{recorded}/chat/v1"),
            entry("recorded-run", "openai/gpt", f"{recorded}/v1", tools="gateway"),
        ],
        "tools": {"private_addresses": True},
        "mcp_servers": {"house": {"url": modern_url, "allowed_tools": ["add"]}},
    }


@pytest.fixture(scope="session")
def proxy(config: Any, run_gateway: RunGateway) -> Generator[GatewayProcess]:
    with run_gateway(config) as process:
        yield process
    assert "sk-invented" not in process.log


@contextmanager
def official(proxy: GatewayProcess) -> Generator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def client(proxy: GatewayProcess) -> Generator[openai.OpenAI]:
    """Return the official SDK, which does not try again what has failed."""
    with official(proxy) as client:
        yield client
