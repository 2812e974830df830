"""Starts and stops the child process that holds the model, so that its crashes are not ours."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import msgspec

from gateway.errors import UpstreamUnavailableError
from gateway.plugin import Deployment
from gateway_local.openmp import with_library
from gateway_local.weights import find

__all__ = ["launch"]

START_LIMIT = 60.0  # seconds to load the weights
STOP_LIMIT = 5.0  # seconds to end before it is killed


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """The one line that the child prints when it is ready."""

    address: str


_ANNOUNCEMENT = msgspec.json.Decoder(Announcement)


@asynccontextmanager
async def launch(deployment: Deployment) -> AsyncGenerator[str, None]:
    """Run the model in a child process; yield the base URL of its server.

    Raises `UpstreamUnavailableError` if the weights or a library are missing, or if the child dies
    or is not ready within a minute.
    """
    weights = find(deployment.model, deployment.downloads)
    with TemporaryFile() as errors, with_library(_command(weights, deployment.model)) as command:
        process = await _start(command, errors)
        try:
            address = await _announced(process, errors)
            yield f"{address}/v1"
        finally:
            await _stop(process)


def _command(weights: Path, name: str) -> list[str]:
    threads = max(1, (os.cpu_count() or 1) // 2)
    command = [sys.executable, "-m", "gateway_local.server", "--weights", str(weights)]
    return [*command, "--name", name, "--threads", str(threads)]


async def _start(command: Sequence[str], errors: IO[bytes]) -> Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,  # held open as long as we live: its end is the child's end
        stdout=PIPE,
        stderr=errors,
        start_new_session=True,  # a Ctrl-C in the terminal is the gateway's to handle
    )


async def _announced(process: Process, errors: IO[bytes]) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_LIMIT):
            line = await process.stdout.readline()
    except TimeoutError:
        raise _failed(f"was not ready within {START_LIMIT:.0f} seconds", errors) from None
    try:
        return _ANNOUNCEMENT.decode(line).address
    except msgspec.DecodeError:
        raise _failed("ended before it was ready", errors) from None


async def _stop(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_LIMIT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _failed(what: str, errors: IO[bytes]) -> UpstreamUnavailableError:
    """Build the error, with the end of what the child had to say."""
    length = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, length - 2000))
    tail = errors.read().decode(errors="replace").strip() or "it said nothing"
    return UpstreamUnavailableError(
        f"the local model's server {what}: {tail}", code="local_model_failed"
    )
