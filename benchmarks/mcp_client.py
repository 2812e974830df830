"""Our client of MCP servers against the official Python SDK's: latency, CPU, memory, imports.

    python benchmarks/mcp_client.py [ROUNDS]

Each client runs in a process of its own, in turns, against the same servers: one of the SDK that
speaks 2026-07-28, and server-everything (`make mcp-servers`), which speaks 2025-11-25. Linux only.
"""

import asyncio
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1] / ".cache" / "mcp"
CLIENTS = ("ours", "sdk")
FIGURES = ("import", "connect", "list", "call", "cpu per call", "RSS MB")
CONNECTS, CALLS = 20, 200

Do = Callable[[], Awaitable[Any]]


async def timed(deed: Do, times: int) -> float:
    """Return the median of how many milliseconds `deed` takes."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await deed()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


async def measure_ours(url: str, tool: str) -> dict[str, float]:
    client_module = importlib.import_module("gateway_mcp.client")
    endpoint = importlib.import_module("gateway_mcp.connection").HttpEndpoint(url=url, private=True)
    async with client_module.McpClient() as client:

        async def connect() -> None:
            await (await client.connect(endpoint)).aclose()

        connection = await client.connect(endpoint)
        return await measure(
            connect, connection.list_tools, lambda: connection.call_tool(tool, {"a": 1, "b": 2})
        )


async def measure_sdk(url: str, tool: str) -> dict[str, float]:
    mcp = importlib.import_module("mcp")

    async def connect() -> None:
        async with mcp.Client(url):
            pass

    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(mcp.Client(url, cache=None))
        return await measure(
            connect, client.list_tools, lambda: client.call_tool(tool, {"a": 1, "b": 2})
        )


async def measure(connect: Do, list_tools: Do, call: Do) -> dict[str, float]:
    figures = {"connect": await timed(connect, CONNECTS), "list": await timed(list_tools, CALLS)}
    before = time.process_time()
    figures["call"] = await timed(call, CALLS)
    figures["cpu per call"] = (time.process_time() - before) / CALLS * 1000
    return figures


def run_here(name: str, url: str, tool: str) -> None:
    """Measure one client in this process, and print what it took."""
    began = time.perf_counter()
    importlib.import_module("gateway_mcp.client" if name == "ours" else "mcp")
    figures = {"import": (time.perf_counter() - began) * 1000}
    figures |= asyncio.run((measure_ours if name == "ours" else measure_sdk)(url, tool))
    figures["RSS MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


def compare(title: str, url: str, tool: str, rounds: int) -> None:
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(rounds):
        for name in CLIENTS:
            command = [sys.executable, __file__, "--one", name, url, tool]
            run = subprocess.run(command, check=True, capture_output=True)
            taken[name].append(json.loads(run.stdout))
    for name in CLIENTS:
        medians = (statistics.median(one[figure] for one in taken[name]) for figure in FIGURES)
        print(f"| {title} | {name} | " + " | ".join(f"{value:.1f}" for value in medians) + " |")


def main(rounds: int) -> None:
    servers = importlib.import_module("gateway_mcp.testing")  # imports what is measured elsewhere
    print("| server | client | import ms | connect ms | list ms | call ms | CPU ms/call | RSS MB |")
    print("|---|---|---|---|---|---|---|---|")
    with servers.python_server() as url:
        compare("Python SDK, 2026-07-28", url, "add", rounds)
    if (script := servers.everything_script(HOME)) is not None:
        with servers.everything_server(script, "streamableHttp") as url:
            compare("everything, 2025-11-25", url, "get-sum", rounds)


if __name__ == "__main__":
    if "--one" in sys.argv:
        run_here(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
