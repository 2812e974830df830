"""Processes that run as long as a block does, and answer on a port when it begins."""

import os
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.machine import Core, on_cores

PATIENCE = 120.0  # seconds until a process must listen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    cores: Core,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Generator[int]:
    """Run `command` on `cores` until the block ends; yield its pid once it listens on `port`."""
    with log.open("wb") as output, on_cores(cores):
        child = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not listens(port):
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command} does not listen:\n{log.read_text()[-4000:]}")
            time.sleep(0.02)
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
