"""The work that is guarded: requests through the whole application, but for the two networks.

    python tests/performance/workloads.py NAME TIMES

does one of them so many times, for tools that look at a process from outside.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from msgspec import Struct

from gateway.config import Config, ModelEntry, Secret, StateSettings
from gateway.core.engine import Engine
from gateway.http.app import create_app
from gateway.ids import Ids
from gateway.plugin import ToolRunner, hookimpl
from gateway.plugin.manager import Plugins

if __package__:
    from .upstreams import Glossary, Memory, calling_chunks, chunks, events, whole
else:
    from upstreams import Glossary, Memory, calling_chunks, chunks, events, whole

__all__ = ["WORKLOADS", "Workload", "doing"]

_PIECE = 16 * 1024  # bytes that come at once in a burst
_HEADERS = (
    (b"host", b"127.0.0.1:8080"),
    (b"accept", b"application/json"),
    (b"content-type", b"application/json"),
    (b"user-agent", b"OpenAI/Python 2.44.0"),
    (b"x-stainless-lang", b"python"),
)


class Workload(Struct, frozen=True, kw_only=True):
    """A request that is made again and again. `answers` are those of its upstream, in turns, and
    `units` is what its cost is told per: events or requests.
    """

    provider: str
    answers: tuple[Sequence[bytes], ...]
    media: str = "text/event-stream"
    asked: Mapping[str, Any] = {}
    units: int = 1
    upstream_model: str = "m"


class _Tools:
    @hookimpl
    def gateway_tool_runners(self, config: Config) -> Iterable[ToolRunner]:
        return (Glossary(),)


def _burst(frames: Sequence[bytes]) -> list[bytes]:
    body = b"".join(frames)
    return [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]


_STREAM = {"stream": True}
_LONG = {"input": "Tell me a story. " * 6000}  # 100 kB

WORKLOADS: Mapping[str, Workload] = {
    "create": Workload(provider="openai", answers=([whole()],), media="application/json"),
    "create of 100 kB, renamed": Workload(
        provider="openai",
        answers=([whole()],),
        media="application/json",
        asked=_LONG,
        upstream_model="another",
    ),
    "relay of 12": Workload(provider="openai", answers=(_burst(events(12)),), asked=_STREAM),
    "relay of 12, renamed": Workload(
        provider="openai", answers=(_burst(events(12)),), asked=_STREAM, upstream_model="another"
    ),
    "relay of 108": Workload(
        provider="openai", answers=(_burst(events(108)),), asked=_STREAM, units=108
    ),
    "relay of 1000": Workload(
        provider="openai", answers=(_burst(events(1000)),), asked=_STREAM, units=1000
    ),
    "relay of 108, paced": Workload(
        provider="openai", answers=(events(108),), asked=_STREAM, units=108
    ),
    "chat of 108": Workload(
        provider="openai_compatible", answers=(_burst(chunks(108)),), asked=_STREAM, units=108
    ),
    "chat of 1000": Workload(
        provider="openai_compatible", answers=(_burst(chunks(1000)),), asked=_STREAM, units=1000
    ),
    "chat of 108, paced": Workload(
        provider="openai_compatible", answers=(chunks(108),), asked=_STREAM, units=108
    ),
    "tool loop": Workload(
        provider="openai_compatible",
        answers=(_burst(calling_chunks()), _burst(chunks(12))),
        asked={**_STREAM, "tools": [{"type": "glossary"}]},
    ),
}


@asynccontextmanager
async def doing(workload: Workload) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """Yield what does `workload` once."""
    entry = ModelEntry(
        name="m",
        model=f"{workload.provider}/{workload.upstream_model}",
        api_key=Secret("sk-invented"),
        base_url="https://upstream.test/v1",
    )
    body = msgspec.json.encode(
        {"model": "m", "input": "Tell me a story.", "store": False, **workload.asked}
    )
    with TemporaryDirectory() as directory:
        state = StateSettings(directory=Path(directory), secret=Secret("an invented secret of the tests"), store="none")
        config = Config(models=(entry,), state=state)
        transport = Memory(*workload.answers, media=workload.media)
        ids = Ids(now=lambda: 1790000000.0)
        async with Engine(config, Plugins([_Tools()]), transport=transport, ids=ids) as engine:
            app = create_app(engine, config, ids=ids)
            yield _Client(app, body).ask


class _Client:
    """Asks the application for the same again and again, as a server would."""

    def __init__(self, app: Any, body: bytes) -> None:
        self._app = app
        self._body = body

    async def ask(self) -> None:
        incoming = asyncio.Queue[dict[str, Any]]()
        incoming.put_nowait({"type": "http.request", "body": self._body, "more_body": True})
        incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(self._scope(), incoming.get, send)
        body = b"".join(message.get("body", b"") for message in sent)
        if sent[0]["status"] != 200 or b"completed" not in body:
            raise AssertionError(body.decode())

    def _scope(self) -> dict[str, Any]:
        length = (b"content-length", b"%d" % len(self._body))
        return {
            "type": "http",
            "method": "POST",
            "path": "/v1/responses",
            "query_string": b"",
            "headers": [*_HEADERS, length],
            "client": ("127.0.0.1", 1),
            "state": {},
        }


async def _main(name: str, times: int) -> None:
    async with doing(WORKLOADS[name]) as once:
        for _ in range(times):
            await once()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
