"""Calls a model from inside a program: with our SDK, with OpenAI's, or with bare aiohttp.

    python benchmarks/in_process.py CLIENT UPSTREAM SECONDS

CLIENT is `gateway`, `openai` or `aiohttp`. Prints the CPU microseconds of a create and of a stream
of 108 events, of which each event is looked at, and the megabytes of memory then, as JSON.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import uvloop

TASKS = 16
STREAM = "stream-108"

Deed = Callable[[], Awaitable[object]]


async def count(events: Any) -> int:
    return sum([1 async for _ in events])


@asynccontextmanager
async def ours(upstream: str) -> AsyncGenerator[tuple[Deed, Deed]]:
    async with import_module("gateway").Gateway() as gateway:

        def asked(answer: str) -> dict[str, Any]:
            base = f"{upstream}/{answer}/v1"
            return {"model": "openai/invented", "input": "Hello", "store": False, "base_url": base}

        async def stream() -> None:
            await count(await gateway.responses(**asked(STREAM), stream=True))

        yield lambda: gateway.responses(**asked("create")), stream


@asynccontextmanager
async def openais(upstream: str) -> AsyncGenerator[tuple[Deed, Deed]]:
    openai = import_module("openai")
    whole, streamed = (
        openai.AsyncOpenAI(base_url=f"{upstream}/{answer}/v1", api_key="sk-none").responses
        for answer in ("create", STREAM)
    )
    asked = {"model": "invented", "input": "Hello", "store": False}

    async def stream() -> None:
        await count(await streamed.create(**asked, stream=True))

    yield lambda: whole.create(**asked), stream


@asynccontextmanager
async def bare(upstream: str) -> AsyncGenerator[tuple[Deed, Deed]]:
    asked: dict[str, object] = {"model": "invented", "input": "Hello", "store": False}
    async with import_module("aiohttp").ClientSession() as session:

        async def create() -> None:
            path = f"{upstream}/create/v1/responses"
            async with session.post(path, json=asked) as answer:
                await answer.json()

        async def stream() -> None:
            path = f"{upstream}/{STREAM}/v1/responses"
            async with session.post(path, json={**asked, "stream": True}) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        json.loads(line[6:])

        yield create, stream


CLIENTS = {"gateway": ours, "openai": openais, "aiohttp": bare}


async def cost(deed: Deed, seconds: float) -> float:
    """Return the CPU microseconds of one `deed`, some of them at a time."""
    done, end = 0, time.perf_counter() + seconds

    async def repeat() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await deed()
            done += 1

    await deed()
    before = time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(TASKS):
            tasks.create_task(repeat())
    return (time.process_time() - before) / done * 1e6


async def main(client: str, upstream: str, seconds: float) -> None:
    os.environ["OPENAI_API_KEY"] = "sk-none"
    async with CLIENTS[client](upstream) as (create, stream):
        figures = {
            "create": await cost(create, seconds),
            "stream": await cost(stream, seconds),
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
