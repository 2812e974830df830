"""The engine's life under a server, the readiness that it gives, and refused WebSockets."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import ConfigError

if TYPE_CHECKING:
    from .conftest import Client, ScriptedEngine


class Server:
    """The server's side of the lifespan protocol."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self._app = app
        self._scope = scope
        self.sent: list[dict[str, Any]] = []
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answered = asyncio.Event()

    async def run(self) -> None:
        await self._app(self._scope, self._incoming.get, self._send)

    def say(self, kind: str) -> None:
        self._incoming.put_nowait({"type": kind})

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self.answered.set()


async def test_the_engine_is_open_while_the_server_runs(
    client: Client, engine: ScriptedEngine
) -> None:
    scope: dict[str, Any] = {"type": "lifespan", "state": {}}
    server = Server(client.app, scope)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.run())
        assert not engine.open
        server.say("lifespan.startup")
        await server.answered.wait()
        assert engine.open
        assert scope["state"] == {"ready": True}
        server.say("lifespan.shutdown")
        await running
    assert not engine.open
    kinds = [message["type"] for message in server.sent]
    assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_an_engine_that_cannot_open_stops_the_start_with_its_reason(
    client: Client, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: object) -> None:
        raise ConfigError("no such weights")

    monkeypatch.setattr(type(engine), "__aenter__", refuse)
    server = Server(client.app, {"type": "lifespan"})
    server.say("lifespan.startup")
    await server.run()
    assert server.sent == [{"type": "lifespan.startup.failed", "message": "no such weights"}]


async def test_a_bug_while_opening_stops_the_start_with_its_traceback(
    client: Client, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(engine), "__aenter__", fail)
    server = Server(client.app, {"type": "lifespan"})
    server.say("lifespan.startup")
    with pytest.raises(RuntimeError, match="a bug"):
        await server.run()
    assert server.sent[0]["type"] == "lifespan.startup.failed"


async def test_readiness_needs_an_open_engine(client: Client) -> None:
    exchange = client.connect("GET", "/health/ready")
    assert (await exchange.run()).status == 503
    exchange = client.connect("GET", "/v1/health/ready", state={"ready": True})
    answer = await exchange.run()
    assert (answer.status, answer.json) == (200, {"status": "ok", "store": "ok"})


async def refused(client: Client, extensions: dict[str, Any]) -> list[dict[str, Any]]:
    scope = {"type": "websocket", "path": "/v1/responses", "headers": [], "extensions": extensions}
    server = Server(client.app, scope)
    server.say("websocket.connect")
    await server.run()
    return server.sent


async def test_a_websocket_is_refused_with_426(guarded: Client) -> None:
    start, body = await refused(guarded, {"websocket.http.response": {}})
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 426)
    assert body["type"] == "websocket.http.response.body"
    assert json.loads(body["body"])["error"]["code"] == "websocket_not_supported"


async def test_a_websocket_is_closed_where_the_server_cannot_answer_it(client: Client) -> None:
    assert await refused(client, {}) == [{"type": "websocket.close"}]


async def test_an_upgrade_that_the_server_passes_on_is_refused_with_426(client: Client) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "WebSocket"}
    answer = await client.request("GET", "/v1/responses", b"", headers)
    assert (answer.status, answer.error["code"]) == (426, "websocket_not_supported")
    assert answer.headers["x-request-id"] == "req_minted"
