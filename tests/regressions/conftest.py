"""A whole engine between a test and an upstream that plays what is said to go wrong.

What the upstream says is invented, after the reports that the tests name.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config, ModelEntry, Secret, StateSettings
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Streamed, Whole
from gateway.core.principal import Principal
from gateway.plugin.manager import Plugins
from gateway.stream.lifecycle import violations
from gateway.testing import Script, ScriptedUpstream, Step, event_stream

Json = dict[str, Any]
CHAT = "chat"  # the name of the dialect


class Answered:
    """A streamed answer: its events, and the response that the last one holds."""

    def __init__(self, events: list[Json]) -> None:
        self.events = events
        self.response: Json = events[-1]["response"]

    @property
    def output(self) -> list[Json]:
        return self.response["output"]

    @property
    def text(self) -> str:
        parts = [part for item in self.of("message") for part in item["content"]]
        return "".join(part["text"] for part in parts)

    def of(self, kind: str) -> list[Json]:
        """Return the items of a type."""
        return [item for item in self.output if item["type"] == kind]

    def named(self, kind: str) -> list[Json]:
        """Return the events of a type."""
        return [event for event in self.events if event["type"] == kind]


class Gateway:
    """Asks an engine whose models have the names of providers: each is a row, in front of one
    upstream.
    """

    def __init__(self, engine: Engine, upstream: ScriptedUpstream) -> None:
        self._engine = engine
        self._upstream = upstream

    def will_say(self, *answers: Script) -> None:
        """Let the upstream give these answers, one to each request."""
        self._upstream.add(*answers)

    @property
    def sent(self) -> list[Json]:
        """The bodies that have reached the upstream."""
        return [received.json() for received in self._upstream.requests]

    async def stream(self, model: str, *, tenant: str = "default", **body: Any) -> Answered:
        """Return a streamed answer, which keeps every rule of the stream."""
        reply = await self._send({"model": model, "stream": True, **body}, tenant)
        assert isinstance(reply, Streamed)
        lines = b"".join([block async for block in reply.blocks]).decode().split("\n")
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        assert data.count("[DONE]") == 1
        assert data[-1] == "[DONE]"
        events = [json.loads(text) for text in data[:-1]]
        assert violations(events) == []
        return Answered(events)

    async def ask(self, model: str, **body: Any) -> Json:
        """Return a whole answer."""
        reply = await self._send({"model": model, **body}, "default")
        assert isinstance(reply, Whole)
        return json.loads(reply.body)

    async def _send(self, body: Json, tenant: str) -> Whole | Streamed:
        asked = json.dumps({"input": "hello", **body}).encode()
        envelope = Envelope(operation="create", request_id="req_1", body=asked)
        return await self._engine.respond(envelope, Principal(tenant=tenant))


class Says:
    """Writes what a Chat Completions server says."""

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None, **members: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return self.frame({"id": "chatcmpl-1", "choices": [choice], **members})

    def frame(self, value: Any) -> bytes:
        return f"data: {json.dumps(value)}\n\n".encode()

    def stream(self, *deltas: Mapping[str, Any], finish: str = "stop", **members: Any) -> Script:
        """Return a stream of `deltas` that ends well; `members` are those of its last chunk."""
        return event_stream(
            *map(self.chunk, deltas), self.chunk({}, finish, **members), b"data: [DONE]\n\n"
        )

    def raw(self, *body: Step) -> Script:
        """Return a stream of just these pieces."""
        return event_stream(*body)

    def call(self, number: int, name: str, arguments: str) -> Json:
        """Return a whole call, as a piece of a delta."""
        function = {"name": name, "arguments": arguments}
        return {"index": number, "id": f"call_{number}", "type": "function", "function": function}


@pytest.fixture
def says() -> Says:
    return Says()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncGenerator[Gateway]:
    plugins = Plugins()
    rows = [one.name for one in plugins.providers().values() if speaks_chat(one)]
    async with ScriptedUpstream() as upstream:
        models = tuple(
            ModelEntry(
                name=name,
                model=f"{name}/upstream-model",
                base_url=f"{upstream.url}/v1",
                api_key=Secret("sk-invented"),
                retries=0,
            )
            for name in rows
        )
        secret = Secret("a secret of the tests, long enough")
        config = Config(models=models, state=StateSettings(directory=tmp_path, secret=secret))
        async with Engine(config, plugins) as engine:
            yield Gateway(engine, upstream)


def speaks_chat(provider: Any) -> bool:
    return provider.dialect.name == CHAT and provider.name != "local"


def output_of(call: Mapping[str, Any], text: str) -> Json:
    """Return the item that tells the model what its `call` came to."""
    return {"type": "function_call_output", "call_id": call["call_id"], "output": text}
