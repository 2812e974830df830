"""One connection: hypercorn's, at a fraction of its cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Event, RawData
from hypercorn.protocol.h11 import H11Protocol

from gateway.server.chunks import Chunks

__all__ = ["Connection"]

_WRITE_AT_ONCE = 64 * 1024  # bytes


class Connection(TCPServer):
    """Speaks HTTP with one client.

    hypercorn starts and cancels a task for each request, to notice an idle connection, and writes
    head, body and end of an answer one by one. Here a timer notices, and what comes in one turn of
    the event loop is written together: one packet and one system call.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._idle_timer = self.idle_task = _IdleTimer(self._idle_seconds)
        self._unsent: list[bytes] = []
        self._unsent_size = 0

    def retire(self) -> None:
        """Close the connection if it is idle; a busy one closes when it would become idle."""
        self._idle_timer.expire()

    async def protocol_send(self, event: Event) -> None:
        if not isinstance(event, RawData):
            self._flush()
            await super().protocol_send(event)
            return
        if not self._unsent:
            self.loop.call_soon(self._flush)
        self._unsent.append(event.data)
        self._unsent_size += len(event.data)
        if self._unsent_size > _WRITE_AT_ONCE:
            self._flush()
        if self.writer.transport.get_write_buffer_size():
            await super().protocol_send(RawData(b""))  # waits until the client has read on

    def _flush(self) -> None:
        data = b"".join(self._unsent)
        self._unsent.clear()
        self._unsent_size = 0
        if data and not self.writer.transport.is_closing():
            self.writer.write(data)

    async def _read_data(self) -> None:
        protocol = self.protocol.protocol
        if isinstance(protocol, H11Protocol):
            protocol.stream_send = Chunks(protocol).send
        await super()._read_data()
        self._idle_timer.close()

    async def _close(self) -> None:
        self._flush()
        await super()._close()
        self._idle_timer.close()

    async def _idle_timeout(self) -> None:
        await asyncio.shield(self._initiate_server_close())

    def _idle_seconds(self) -> float:
        return 0.0 if self.context.terminated.is_set() else self.config.keep_alive_timeout


class _IdleTimer:
    """Stands in for hypercorn's task of that purpose: begins an action when the time is over.

    The event loop's timer stays where it is while requests come and go, and is set anew only when
    it goes off too early.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._begin: Callable[[], None] | None = None

    async def restart(self, task_group: Any, action: Callable[[], Awaitable[None]]) -> None:
        self._begin = partial(task_group.spawn, action)
        self._due = self._loop.time() + self._seconds()
        if self._timer is None or self._due < self._timer.when():
            self._set_timer()

    async def stop(self) -> None:
        self._begin = None

    def close(self) -> None:
        """Let go of the event loop's timer, which would keep the connection in memory."""
        self._begin = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def expire(self) -> None:
        """End the time now, if it runs."""
        if self._begin is not None:
            begin, self._begin = self._begin, None
            begin()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._begin is None:
            return
        if self._loop.time() < self._due:
            self._set_timer()
        else:
            self.expire()
