"""The work that is guarded: requests through the whole application, but for the two networks.

    valgrind --tool=callgrind --instr-atstart=no python tests/performance/workloads.py NAME...

does each of them several times, says how often, and has callgrind count nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
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
from gateway.plugin import Timeouts, ToolRunner, UpstreamRequest, hookimpl
from gateway.plugin.manager import Plugins

if __package__:
    from .upstreams import Glossary, Memory, calling_chunks, chunks, events, whole
else:
    from upstreams import Glossary, Memory, calling_chunks, chunks, events, whole

__all__ = ["WORKLOADS", "YARDSTICK", "Workload", "doing"]

YARDSTICK = "bare of 108, paced"
"""What does no more than pass on: instructions are told in its own."""

_PIECE = 16 * 1024  # bytes that come at once in a burst
_TIMES = 20
_HEADERS = (
    (b"host", b"127.0.0.1:8080"),
    (b"accept", b"application/json"),
    (b"content-type", b"application/json"),
    (b"user-agent", b"OpenAI/Python 2.44.0"),
    (b"x-stainless-lang", b"python"),
)


class Workload(Struct, frozen=True, kw_only=True):
    """A request that is made again and again. `answers` are those of its upstream, in turns, and
    `units` is what its cost is told per: events or requests. Without a `provider` there is no
    gateway between.
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
    YARDSTICK: Workload(provider="", answers=(events(108),), asked=_STREAM, units=108),
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
    transport = Memory(*workload.answers, media=workload.media)
    entry = ModelEntry(
        name="m",
        model=f"{workload.provider}/{workload.upstream_model}",
        api_key=Secret("sk-invented"),
        base_url="https://upstream.test/v1",
    )
    body = msgspec.json.encode(
        {"model": "m", "input": "Tell me a story.", "store": False, **workload.asked}
    )
    if not workload.provider:
        yield _Client(_Bare(transport), body).ask
        return
    with TemporaryDirectory() as directory:
        state = StateSettings(
            directory=Path(directory),
            secret=Secret("an invented secret of the tests"),
            store="none",
        )
        config = Config(models=(entry,), state=state)
        ids = Ids(now=lambda: 1790000000.0)
        async with Engine(config, Plugins([_Tools()]), transport=transport, ids=ids) as engine:
            app = create_app(engine, config, ids=ids)
            yield _Client(app, body).ask


class _Bare:
    """Passes requests and answers on."""

    def __init__(self, transport: Memory) -> None:
        self._transport = transport

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        request = UpstreamRequest(method="POST", url="https://upstream.test", body=body)
        answer = await self._transport.send(request, Timeouts())
        await send({"type": "http.response.start", "status": answer.status, "headers": []})
        while chunk := await answer.chunk():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


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


async def _main(names: Sequence[str]) -> None:
    for name in names:
        async with doing(WORKLOADS[name]) as once:
            for _ in range(_TIMES):
                await once()  # the first times are dearer
            gc.collect()
            gc.disable()  # when it comes depends on what was done before
            _callgrind("-i", "on")
            for _ in range(_TIMES):
                await once()
            _callgrind("-i", "off")
            _callgrind("-d")
            gc.enable()
    print(_TIMES)


def _callgrind(*order: str) -> None:
    subprocess.run(
        ["callgrind_control", *order, str(os.getpid())], check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
