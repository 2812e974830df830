"""The application without a server: an engine that does as the test says, and a client on ASGI."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from msgspec import Struct, field

from gateway.config import ApiKeyEntry, Config, Secret, ServerSettings, StateSettings
from gateway.core.conversations import Conversations
from gateway.core.exchange import Envelope, Reply, Streamed, Whole
from gateway.core.keeper import Keeper
from gateway.core.principal import Principal
from gateway.http.app import create_app
from gateway.ids import Ids
from gateway.store.memory import MemoryStore

Respond = Callable[[Envelope], Awaitable[Reply]]


async def echo(envelope: Envelope) -> Reply:
    return Whole(body=envelope.body or b"{}")


class Blocks:
    """The blocks of a stream; knows whether they have been closed."""

    def __init__(self, blocks: AsyncIterator[bytes]) -> None:
        self._blocks = blocks
        self.closed = asyncio.Event()

    @property
    def over(self) -> bool:
        return False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._blocks)

    async def aclose(self) -> None:
        self.closed.set()


class ScriptedEngine:
    """Answers with `script`, and remembers what it was asked and by whom; its conversations are
    in memory.
    """

    def __init__(self) -> None:
        self.script: Respond = echo
        self.names = ["fast", "local/smollm2", "openai/*"]
        self.asked: list[Envelope] = []
        self.callers: list[Principal] = []
        self.open = False
        keeper = Keeper(MemoryStore(), retention=1, now=Ids().now)
        self.conversations = Conversations(keeper, Ids())
        self.store_state = keeper.state

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.open = False

    async def respond(self, envelope: Envelope, principal: Principal) -> Reply:
        self.asked.append(envelope)
        self.callers.append(principal)
        return await self.script(envelope)

    def models(self) -> list[str]:
        return self.names

    def stream(self, blocks: AsyncIterator[bytes], headers: Mapping[str, str] = {}) -> Blocks:
        """Answer with `blocks` from now on."""
        closable = Blocks(blocks)

        async def script(envelope: Envelope) -> Reply:
            return Streamed(blocks=closable, headers=headers)

        self.script = script
        return closable


class Answer(Struct):
    """What the application sent, put together."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


class Connection:
    """One exchange: the server's side of ASGI, for one request."""

    def __init__(self, app: Any, scope: dict[str, Any], incoming: Iterable[dict[str, Any]]) -> None:
        self._app = app
        self._scope = scope
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in incoming:
            self._incoming.put_nowait(message)
        self.answer = Answer()
        self.arrived = asyncio.Event()
        self.on_piece: Callable[[list[bytes]], None] = lambda pieces: None

    @property
    def unread(self) -> int:
        """Messages that the application has not received."""
        return self._incoming.qsize()

    async def run(self) -> Answer:
        await self._app(self._scope, self._incoming.get, self._send)
        return self.answer

    def leave(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def _send(self, message: dict[str, Any]) -> None:
        assert not self.answer.ended, "sent after the end"
        if message["type"] == "http.response.start":
            assert not self.answer.status, "started twice"
            self.answer.status = message["status"]
            for name, value in message["headers"]:
                assert name == name.lower()
                self.answer.headers[name.decode()] = value.decode()
            return
        assert self.answer.status, "a body before the start"
        if message.get("body"):
            self.answer.pieces.append(message["body"])
            self.arrived.set()
            self.on_piece(self.answer.pieces)
        self.answer.ended = not message.get("more_body", False)


class Client:
    """Calls the application as a server would."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def connect(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[dict[str, Any]] = b"",
        headers: Mapping[str, str] = {},
        *,
        state: Mapping[str, Any] = {},
    ) -> Connection:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "state": dict(state),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        if isinstance(body, bytes):
            body = pieces(body)
        return Connection(self.app, scope, body)

    async def request(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[dict[str, Any]] = b"",
        headers: Mapping[str, str] = {},
    ) -> Answer:
        async with asyncio.timeout(20):
            return await self.connect(method, target, body, headers).run()


def pieces(*bodies: bytes) -> list[dict[str, Any]]:
    """Return a request's body in pieces, as hypercorn gives it: the end is a message of its own."""
    messages = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    return [*messages, {"type": "http.request", "body": b"", "more_body": False}]


class FixedIds(Ids):
    def mint(self, prefix: str) -> str:
        return f"{prefix}_minted"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Return a configuration with the keys "alpha's key" and "beta's key", and small limits."""
    keys = (("alpha", b"alpha's key"), ("beta", b"beta's key"))
    return Config(
        state=StateSettings(directory=tmp_path, secret=Secret("a secret of the tests")),
        server=ServerSettings(body_limit=1000, keep_alive_seconds=60),
        api_keys=tuple(
            ApiKeyEntry(tenant=tenant, digest=hashlib.sha256(key).digest()) for tenant, key in keys
        ),
    )


@pytest.fixture
def guarded(engine: ScriptedEngine, config: Config) -> Client:
    return Client(create_app(engine, config, ids=FixedIds()))


@pytest.fixture
def client(engine: ScriptedEngine, config: Config) -> Client:
    """Return a client of a gateway without keys."""
    settings = Config(state=config.state, server=config.server)
    return Client(create_app(engine, settings, ids=FixedIds()))
