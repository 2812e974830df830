"""A real gateway between two tenants, a model that does as it is told, and MCP servers that do not.

The gateway of most tests is a process, started once; some want one in their own loop, to see its
tasks or to play the internet. What models and servers say is invented.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from msgspec.structs import replace

from gateway.config import (
    ApiKeyEntry,
    Config,
    ModelEntry,
    Secret,
    ServerSettings,
    StateSettings,
    ToolSettings,
)
from gateway.core.engine import Engine
from gateway.http.app import create_app
from gateway.plugin import ToolRunner, hookimpl
from gateway.plugin.manager import Plugins
from gateway.server import create_server, listen
from gateway.testing import Received, Script, ScriptedUpstream, event_stream, json_answer
from gateway_mcp import McpRunner
from gateway_mcp.client import McpClient

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

KEYS = {"alpha": "sk-invented-key-of-alpha", "beta": "sk-invented-key-of-beta"}
UPSTREAM_KEY = "sk-invented-upstream-key"
OPERATORS_TOKEN = "invented+operators/token="
OPERATORS_KEY = "invented-operators-key-0002"
VAULTS = ("vault", *(f"spare{number}" for number in range(16)))  # the operator's servers
ECHO = 200  # characters
CALL_SECONDS = 1.5
COMPLETIONS = "/chat/v1/chat/completions"

Configure = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractAsyncContextManager["Service"]]
Call = Callable[[str, str], AbstractAsyncContextManager["Caller"]]
Approve = Callable[..., dict[str, Any]]
OpenVault = Callable[[str], "McpPeer"]


class Model:
    """A chat model. To `NAME ARGUMENTS` it calls the function NAME if there is one; what comes of
    that, or whatever else it reads, it repeats. `heard` are the bodies that reached it.
    """

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def answer(self, received: Received) -> Script:
        body = received.json()
        self.heard.append(body)
        last = body["messages"][-1]
        text = _text(last.get("content"))
        name, _, arguments = text.partition(" ")
        offered = (tool["function"]["name"] for tool in body.get("tools", ()))
        wanted = [one for one in offered if one.endswith(f"__{name}")]
        if last["role"] == "tool" or not wanted:
            return _completion({"content": text[:ECHO]}, "stop")
        function = {"name": wanted[0], "arguments": arguments}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        return _completion({"tool_calls": [call]}, "tool_calls")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ())


def _completion(delta: Mapping[str, Any], finish: str) -> Script:
    chunks = [
        {"choices": [{"index": 0, "delta": delta}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
    ]
    frames = (b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    return event_stream(*frames, b"data: [DONE]\n\n")


Says = Script | Callable[[dict[str, Any]], Script]


class McpPeer:
    """A server of 2026-07-28 with the tools `echo` and `burn`, of which the first only reads.

    `says` has what it answers to a method in the place of that, `requests` all that reached it.
    With `closes` it closes the connection after each answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Received] = []
        self.tools = [_tool("echo", read_only=True), _tool("burn", read_only=False)]
        self.says: dict[str, Says] = {}
        self.closes = False

    @property
    def calls(self) -> list[tuple[str, Any]]:
        """The calls that reached it: names and arguments."""
        params = [message["params"] for message in self.messages("tools/call")]
        return [(each["name"], each["arguments"]) for each in params]

    def messages(self, method: str) -> list[dict[str, Any]]:
        found = [received.json() for received in self.requests if received.body]
        return [message for message in found if message.get("method") == method]

    def tool(self, label: str = "docs", **members: Any) -> dict[str, Any]:
        """Return the tool that names this server; calls need approval unless `members` say so."""
        return {"type": "mcp", "server_label": label, "server_url": self.url, **members}

    def result(self, message: Mapping[str, Any], **result: Any) -> Script:
        whole = {"resultType": "complete", **result}
        return json_answer({"jsonrpc": "2.0", "id": message.get("id"), "result": whole})

    def answer(self, received: Received) -> Script:
        self.requests.append(received)
        message = received.json() if received.body else {}
        said = self.says.get(message.get("method", ""), self._behave)
        script = said if isinstance(said, Script) else said(message)
        if not self.closes:
            return script
        return replace(script, close=True, headers={**script.headers, "connection": "close"})

    def _behave(self, message: dict[str, Any]) -> Script:
        match message.get("method"):
            case "server/discover":
                return self.result(message, supportedVersions=["2026-07-28"])
            case "tools/list":
                return self.result(message, tools=self.tools, ttlMs=0)
            case "tools/call":
                text = json.dumps(message["params"]["arguments"])
                return self.result(message, content=[{"type": "text", "text": text}])
            case _:
                return Script(status=404)


def _tool(name: str, *, read_only: bool) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    annotations = {"readOnlyHint": read_only}
    return {"name": name, "inputSchema": schema, "annotations": annotations}


class Told(Struct, frozen=True, kw_only=True):
    """An answer as a client sees it: `text` is all of it, `body` the response or the error."""

    status: int
    text: str
    body: dict[str, Any]
    events: tuple[dict[str, Any], ...] = ()

    @property
    def output(self) -> list[dict[str, Any]]:
        return self.body["output"]

    @property
    def kinds(self) -> list[str]:
        return [item["type"] for item in self.output]

    def item(self, kind: str) -> dict[str, Any]:
        """Return the only item of a type."""
        [found] = [item for item in self.output if item["type"] == kind]
        return found

    @property
    def problem(self) -> dict[str, Any]:
        """Why there is no response, or why it failed."""
        return self.body["error"]


class Caller:
    """Asks a gateway as one tenant."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def send(self, words: Any, **body: Any) -> Told:
        """Ask for a response to a text, or to items."""
        asked = {"model": "stella", "input": words, **body}
        return _told(await self.http.post("/responses", json=asked))

    async def ask(self, words: Any, **body: Any) -> Told:
        """The same, where nothing may fail."""
        told = await self.send(words, **body)
        assert told.status == 200, told.text
        assert told.body["status"] == "completed", told.text
        return told

    async def asked(self, server: McpPeer, words: str = 'echo {"text": "hi"}', **body: Any) -> Told:
        """Have the model ask for an approval."""
        told = await self.ask(words, tools=[server.tool()], **body)
        assert told.kinds[-1] == "mcp_approval_request"
        return told


def _told(answer: httpx2.Response) -> Told:
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return Told(status=answer.status_code, text=answer.text, body=answer.json())
    lines = answer.text.split("\n")
    events = tuple(json.loads(line[6:]) for line in lines if line.startswith("data: {"))
    body = events[-1]["response"]
    return Told(status=answer.status_code, text=answer.text, body=body, events=events)


@pytest.fixture(scope="session")
def approve() -> Approve:
    """Return a function for the item with which a client agrees to what it was asked last."""

    def approval(asked: Told, **changes: Any) -> dict[str, Any]:
        request = asked.output[-1]
        answer = {"type": "mcp_approval_response", "approval_request_id": request["id"]}
        return {**answer, "approve": True, **changes}

    return approval


@asynccontextmanager
async def calling(url: str, tenant: str) -> AsyncGenerator[Caller]:
    headers = {"authorization": f"Bearer {KEYS[tenant]}"}
    async with httpx2.AsyncClient(base_url=f"{url}/v1", headers=headers, timeout=30) as http:
        yield Caller(http)


@pytest.fixture(scope="session")
def call() -> Call:
    """Return what asks the gateway at a URL as a tenant."""
    return calling


@pytest.fixture(scope="session")
def keys() -> Mapping[str, str]:
    """Return all credentials that the operator has: of the tenants, and the gateway's own."""
    own = {"upstream": UPSTREAM_KEY, "token": OPERATORS_TOKEN, "header": OPERATORS_KEY}
    return {**KEYS, **own}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def network() -> AsyncGenerator[ScriptedUpstream]:
    """Run what all servers of the tests are paths of."""
    async with ScriptedUpstream() as network:
        yield network


@pytest.fixture(scope="session")
def numbers() -> Iterable[int]:
    return itertools.count()


@pytest_asyncio.fixture(loop_scope="session")
async def model(network: ScriptedUpstream) -> Model:
    network.forget()
    model = Model()
    network.handle(COMPLETIONS, model.answer)
    return model


@pytest_asyncio.fixture(loop_scope="session")
async def open_server(
    network: ScriptedUpstream, model: Model, numbers: Generator[int]
) -> Callable[[], McpPeer]:
    """Return a function that runs a server of which nobody has heard yet."""

    def opened() -> McpPeer:
        server = McpPeer(f"{network.url}/mcp/{next(numbers)}")
        network.handle(server.url.removeprefix(network.url), server.answer)
        return server

    return opened


@pytest.fixture
def server(open_server: Callable[[], McpPeer]) -> McpPeer:
    return open_server()


@pytest.fixture
def open_vault(network: ScriptedUpstream, model: Model) -> OpenVault:
    """Return a function that runs the server of the operator's with a label."""

    def opened(label: str) -> McpPeer:
        server = McpPeer(f"{network.url}/{label}")
        network.handle(f"/{label}", server.answer)
        return server

    return opened


@pytest.fixture
def vault(open_vault: OpenVault) -> McpPeer:
    """Return the operator's server that always works."""
    return open_vault("vault")


@pytest.fixture(scope="session")
def configure(network: ScriptedUpstream) -> Configure:
    """Return a function that writes the configuration of a gateway process."""

    def configuration(**sections: Any) -> dict[str, Any]:
        params = {
            "model": "openai_compatible/stella-1",
            "base_url": f"{network.url}/chat/v1",
            "api_key": UPSTREAM_KEY,
            "retries": 0,
        }
        tools = {"private_addresses": True, "call_seconds": CALL_SECONDS}
        return {
            "model_list": [{"model_name": "stella", "params": params}],
            "api_keys": [
                {"tenant": tenant, "key": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"}
                for tenant, key in KEYS.items()
            ],
            "server": {"drain_seconds": 1},
            "logging": {"level": "debug"},
            "tools": tools,
            "mcp_servers": {label: _vault(f"{network.url}/{label}") for label in VAULTS},
            **sections,
        }

    return configuration


def _vault(url: str) -> dict[str, Any]:
    return {
        "url": url,
        "authorization": OPERATORS_TOKEN,
        "headers": {"x-api-key": OPERATORS_KEY},
        "require_approval": {"never": {"read_only": True}},
        "timeout": CALL_SECONDS,
    }


@pytest.fixture(scope="session")
def gateway(configure: Configure, run_gateway: RunGateway) -> Generator[GatewayProcess]:
    """Run the gateway that most of these tests ask; it lets clients name any server."""
    with run_gateway(configure()) as process:
        yield process


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def alpha(gateway: GatewayProcess) -> AsyncGenerator[Caller]:
    async with calling(gateway.url, "alpha") as caller:
        yield caller


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def beta(gateway: GatewayProcess) -> AsyncGenerator[Caller]:
    async with calling(gateway.url, "beta") as caller:
        yield caller


@pytest.fixture(params=[True, False], ids=["streamed", "whole"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Say whether responses are to be streamed."""
    return request.param


class _Runners:
    """A plugin with the runner of a test."""

    __name__ = "tests"

    def __init__(self, runner: ToolRunner) -> None:
        self._runner = runner

    @hookimpl
    def gateway_tool_runners(self, config: Config) -> Iterable[ToolRunner]:
        return (self._runner,)


class Service(Struct, frozen=True, kw_only=True):
    """A gateway that runs in the test's own loop, and its two tenants."""

    alpha: Caller
    beta: Caller


def _settings(directory: Path, network: ScriptedUpstream, tools: ToolSettings) -> Config:
    model = ModelEntry(
        name="stella",
        model="openai_compatible/stella-1",
        base_url=f"{network.url}/chat/v1",
        api_key=Secret(UPSTREAM_KEY),
        retries=0,
    )
    return Config(
        state=StateSettings(
            directory=directory, secret=Secret("an invented secret of 32 letters!"), store="memory"
        ),
        models=(model,),
        server=ServerSettings(port=0, drain_seconds=0),
        api_keys=tuple(
            ApiKeyEntry(tenant=tenant, digest=hashlib.sha256(key.encode()).digest())
            for tenant, key in KEYS.items()
        ),
        tools=tools,
    )


@pytest.fixture
def serve(network: ScriptedUpstream, tmp_path: Path) -> Serve:
    """Return a context manager that runs a gateway here, with these limits of tools."""

    @asynccontextmanager
    async def serving(
        *, resolver: AbstractResolver | None = None, **limits: Any
    ) -> AsyncGenerator[Service]:
        config = _settings(tmp_path, network, ToolSettings(**limits))
        runner = McpRunner(config, McpClient(resolver=resolver))
        plugins = Plugins(extra=[_Runners(runner)], blocked=("mcp",))
        engine = Engine(config, plugins)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            listener = stack.enter_context(listen(config.server))
            await stack.enter_async_context(engine)
            server = create_server(create_app(engine, config), config.server, listener)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            tasks.create_task(server.run(ready.set_result))
            stack.callback(server.stop)
            url = await ready
            alpha = await stack.enter_async_context(calling(url, "alpha"))
            beta = await stack.enter_async_context(calling(url, "beta"))
            yield Service(alpha=alpha, beta=beta)

    return serving
