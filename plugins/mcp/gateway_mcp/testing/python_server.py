"""A server made with the official Python SDK: `python_server.py stdio`, or `http PORT`, `sse PORT`.

It needs the packages `mcp` and `uvicorn`, and runs as a program of its own.
"""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import ToolAnnotations

__all__ = ["server"]

server = MCPServer("gateway-test-server")
cancelled: list[str] = []


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def fail(reason: str) -> str:
    """Fail for a reason."""
    raise ValueError(reason)


@server.tool()
async def wait(seconds: float) -> str:
    """Wait, and remember if nobody waits any more."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        cancelled.append("wait")
        raise
    return "waited"


@server.tool()
def cancellations() -> int:
    """Say how many waits were called off."""
    return len(cancelled)


@server.tool()
def repeat(text: str, times: int) -> str:
    """Say a text many times."""
    return text * times


@server.tool()
async def progress(steps: int, context: Context) -> str:
    """Report progress."""
    for step in range(steps):
        await context.report_progress(step, steps)
    return "done"


def main(transport: str, port: int = 0) -> None:
    if transport == "stdio":
        server.run("stdio")
    elif transport == "sse":
        uvicorn.run(server.sse_app(), host="127.0.0.1", port=port, log_level="warning")
    else:
        uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
