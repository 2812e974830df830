"""A whole engine in this process, between the test and upstreams on the loopback.

What the upstreams say is invented.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.config import (
    Config,
    ModelEntry,
    Secret,
    ServerSettings,
    StateSettings,
    ToolSettings,
)
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Reply, Streamed, Whole
from gateway.core.principal import Principal
from gateway.plugin import (
    Observer,
    Provider,
    RequestRecord,
    Store,
    StoreKind,
    StoreSettings,
    ToolRunner,
    hookimpl,
)
from gateway.plugin.manager import Plugins
from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer

from .library import Library

OpenGateway = Callable[..., AbstractAsyncContextManager["Gateway"]]


class Plugin:
    """Offers the observer of the tests, and the providers and the store that a test brings."""

    __name__ = "tests"

    def __init__(
        self,
        providers: Iterable[Provider],
        store: Store | None,
        runners: Iterable[ToolRunner] = (),
    ) -> None:
        self.records: list[RequestRecord] = []
        self._providers = tuple(providers)
        self._runners = tuple(runners)
        self._store = store

    def finished(self, record: RequestRecord, /) -> None:
        self.records.append(record)

    @hookimpl
    def gateway_observers(self, config: Config) -> Iterable[Observer]:
        return (self,)

    @hookimpl
    def gateway_providers(self) -> Iterable[Provider]:
        return self._providers

    @hookimpl
    def gateway_tool_runners(self, config: Config) -> Iterable[ToolRunner]:
        return self._runners

    @hookimpl
    def gateway_stores(self) -> Iterable[StoreKind]:
        return () if self._store is None else (StoreKind(name=self.__name__, open=self._open),)

    @asynccontextmanager
    async def _open(self, settings: StoreSettings) -> AsyncGenerator[Store]:
        assert self._store is not None
        yield self._store


class Clock:
    """A clock, in seconds, that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Gateway:
    """An engine, and what its observer has been told."""

    def __init__(self, engine: Engine, plugin: Plugin, clock: Clock) -> None:
        self.engine = engine
        self.records = plugin.records
        self.clock = clock

    async def send(self, **body: Any) -> Reply:
        """Ask the engine to create a response."""
        asked = json.dumps({"model": "fast", "input": "hello", **body}).encode()
        envelope = Envelope(operation="create", request_id="req_1", body=asked)
        return await self.engine.respond(envelope, Principal())

    async def ask(self, **body: Any) -> dict[str, Any]:
        """Return the whole response."""
        reply = await self.send(**body)
        assert isinstance(reply, Whole)
        return json.loads(reply.body)

    async def stream(self, begun: asyncio.Event | None = None, **body: Any) -> list[dict[str, Any]]:
        """Return the events of a stream, read to its end; set `begun` after the first block."""
        reply = await self.send(stream=True, **body)
        assert isinstance(reply, Streamed)
        read = b""
        async for block in reply.blocks:
            read += block
            if begun is not None:
                begun.set()
        lines = read.decode().splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    async def retrieve(self, response_id: str) -> dict[str, Any]:
        envelope = Envelope(operation="retrieve", request_id="req_2", response_id=response_id)
        reply = await self.engine.respond(envelope, Principal())
        assert isinstance(reply, Whole)
        return json.loads(reply.body)


class Says:
    """Writes what an upstream says."""

    text = "Luna slept."

    def response(self, identifier: str = "resp_up", **changes: Any) -> dict[str, Any]:
        part = {"type": "output_text", "text": self.text, "annotations": [], "logprobs": []}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
        made = {"id": identifier, "object": "response", "created_at": 1, "status": "completed"}
        output = [{**message, "content": [part]}]
        return {**made, "model": "gpt", "output": output, "usage": usage, **changes}

    def whole(self, identifier: str = "resp_up", **changes: Any) -> Script:
        return json_answer(self.response(identifier, **changes))

    def frames(self, *kinds: str) -> list[bytes]:
        """Return lifecycle events, one frame each."""
        events: list[dict[str, Any]] = [
            {
                "type": f"response.{kind}",
                "sequence_number": number,
                "response": self.response(status="completed" if kind == "completed" else kind),
            }
            for number, kind in enumerate(kinds)
        ]
        return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]

    def stream(self) -> Script:
        return event_stream(*self.frames("created", "in_progress", "completed"))

    def chat(self, *texts: str) -> Script:
        deltas = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in (*deltas, end)]
        return event_stream(*frames, b"data: [DONE]\n\n")

    def failure(self, status: int, headers: Mapping[str, str] = {}) -> Script:
        error = {"message": "no", "type": "server_error", "param": None, "code": None}
        return json_answer({"error": error}, status=status, headers=headers)


@pytest.fixture
def says() -> Says:
    return Says()


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
async def other() -> AsyncGenerator[ScriptedUpstream]:
    """Return a second upstream."""
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def deploy() -> Callable[..., ModelEntry]:
    """Return a function that puts a native deployment before an upstream, without retries."""

    def entry(upstream: ScriptedUpstream, **settings: Any) -> ModelEntry:
        given: dict[str, Any] = {"name": "fast", "model": "openai/gpt", "retries": 0, **settings}
        return ModelEntry(base_url=f"{upstream.url}/v1", api_key=Secret("sk-upstream"), **given)

    return entry


@pytest.fixture
def open_gateway(tmp_path: Path) -> OpenGateway:
    @asynccontextmanager
    async def opened(
        *models: ModelEntry,
        max_in_flight: int = 100,
        providers: Iterable[Provider] = (),
        store: Store | None = None,
        runners: Iterable[ToolRunner] = (),
        tools: ToolSettings | None = None,
    ) -> AsyncGenerator[Gateway]:
        plugin, clock = Plugin(providers, store, runners), Clock()
        config = Config(
            state=StateSettings(
                directory=tmp_path,
                secret=Secret("a secret of the tests"),
                store="memory" if store is None else plugin.__name__,
            ),
            models=models,
            server=ServerSettings(max_in_flight=max_in_flight),
            tools=tools or ToolSettings(),
        )
        blocked = ("mcp", "searxng") if tuple(runners) else ()  # a test's own in their place
        plugins = Plugins(extra=[plugin], blocked=blocked)
        async with Engine(config, plugins, clock=clock) as engine:
            yield Gateway(engine, plugin, clock)

    return opened


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def lending(open_gateway: OpenGateway, chat: ModelEntry, library: Library) -> OpenGateway:
    """Return a function that opens a gateway with a chat model, and the library."""
    return functools.partial(open_gateway, chat, runners=[library])


@pytest.fixture
def chat(deploy: Callable[..., ModelEntry], upstream: ScriptedUpstream) -> ModelEntry:
    return deploy(upstream, model="groq/gpt")
