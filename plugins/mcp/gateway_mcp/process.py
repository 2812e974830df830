"""Servers that are processes of this machine, with one JSON-RPC message in each line."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import suppress

from gateway_mcp.background import Background
from gateway_mcp.budget import Budget
from gateway_mcp.connection import (
    Limits,
    McpError,
    McpProtocolError,
    McpUnreachableError,
    ProcessEndpoint,
)
from gateway_mcp.duplex import Duplex
from gateway_mcp.messages import INVALID_ANSWER, without

__all__ = ["ServerProcess"]

_CHUNK = 65536
_LONGEST_LOG = 2000
_SHORTEST_SECRET = 8
_SECONDS_TO_EXIT = 1.0

_log = logging.getLogger("gateway.mcp")


class ServerProcess(Duplex):
    """The channel to a server that we have started, in a process group of its own.

    What it writes to its standard error goes to the debug log. When its output ends, or the channel
    is closed, the whole group is ended.
    """

    def __init__(self, endpoint: ProcessEndpoint, background: Background, limits: Limits) -> None:
        secrets = (value for value in endpoint.environment.values())
        hidden = frozenset(value for value in secrets if len(value) >= _SHORTEST_SECRET)
        super().__init__(Budget(limits.answer_bytes), hidden, background)
        self._endpoint = endpoint
        self._secrets = hidden
        self._process: Process | None = None

    async def open(self) -> None:
        """Start the process. Raises `McpUnreachableError` if there is no such program."""
        endpoint = self._endpoint
        try:
            process = await asyncio.create_subprocess_exec(
                endpoint.command,
                *endpoint.args,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=dict(endpoint.environment),
                start_new_session=True,
            )
        except (OSError, ValueError):
            raise McpUnreachableError("the command of the server cannot be started") from None
        self._process = process
        self.background.start(self._listen(process))
        self.background.start(self._log_errors(process))

    async def aclose(self) -> None:
        """Let the server end by itself, then ask it to, then end it."""
        self.end(McpUnreachableError("the connection is closed"))
        if self._process is None:
            return
        try:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._exited(self._process)
            _signal(self._process, signal.SIGTERM)
            await self._exited(self._process)
        finally:
            _kill(self._process)
            await self._exited(self._process)

    async def send(self, data: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            raise McpUnreachableError("the server's process does not read any more")
        try:
            process.stdin.write(data + b"\n")
            await process.stdin.drain()
        except OSError:
            raise McpUnreachableError("the server's process does not read any more") from None

    async def _listen(self, process: Process) -> None:
        failure: McpError = McpUnreachableError("the server's process has ended")
        try:
            async for line in self._lines(process):
                await self._take(line)
        except McpError as error:
            failure = error
        finally:
            self.end(failure)
            _kill(process)
            await self._exited(process)

    async def _take(self, line: bytes) -> None:
        """Take a message; what is none is somebody's debug print, and the server does not mind."""
        try:
            await self.receive(line)
        except McpProtocolError:
            self._write_log(line)

    async def _lines(self, process: Process) -> AsyncGenerator[bytes]:
        assert process.stdout is not None
        rest = bytearray()
        while data := await process.stdout.read(_CHUNK):
            *lines, tail = data.split(b"\n")
            for line in lines:
                if rest or line.strip():
                    yield bytes(rest) + line
                rest.clear()
            rest += tail
            self.budget.spend(len(data))  # an answer that ends here has renewed it
            if len(rest) > self.budget.limit:
                raise McpProtocolError(INVALID_ANSWER, "the server sent a line without an end")

    async def _log_errors(self, process: Process) -> None:
        assert process.stderr is not None
        while data := await process.stderr.read(_CHUNK):
            self._write_log(data)

    def _write_log(self, data: bytes) -> None:
        if not _log.isEnabledFor(logging.DEBUG):
            return
        text = without(self._secrets, data.decode(errors="replace").rstrip())
        _log.debug("%s: %s", self._endpoint.command, text[:_LONGEST_LOG])

    async def _exited(self, process: Process) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_EXIT):
                await process.wait()


def _kill(process: Process) -> None:
    """End the processes, and let go of their pipes, which some other may have inherited."""
    _signal(process, signal.SIGKILL)
    process._transport.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - nothing else closes them


def _signal(process: Process, number: signal.Signals) -> None:
    """Send a signal to all processes that the server has started, and to itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
