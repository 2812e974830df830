"""The line to a client while its answer is made: what goes out, and a client that may leave.

An ASGI application learns that its client has left only from `receive()`. So whatever works for a
client runs beside a watcher of `receive()`, and whichever ends first cancels the other; else a
stream would run to its end, and burn upstream tokens, with nobody there to read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Message, Receive, Send

from gateway.core.exchange import Streamed
from gateway.http.answers import END, raw_headers
from gateway.http.body import ClientGoneError

__all__ = ["Line"]

_COMMENT: Message = {"type": "http.response.body", "body": b": keep-alive\n\n", "more_body": True}
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would collect the events otherwise
)
_NOT_CACHED = (b"cache-control", b"no-cache")

Result = TypeVar("Result")


class Line:
    """Owns `receive` and `send` of one request once its body has been read.

    After `keep_alive_seconds` without an event, a stream gets a comment, which no client shows and
    which keeps proxies from giving up.
    """

    def __init__(self, receive: Receive, send: Send, keep_alive_seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._keep_alive_seconds = keep_alive_seconds
        self._loop = asyncio.get_running_loop()
        self._tasks = asyncio.TaskGroup()
        self._timer: asyncio.TimerHandle | None = None
        self._sent = 0.0
        self._unsent: tuple[Message, ...] = ()

    async def hold(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Return what `work` returns, or None after cancelling it because the client has left.

        The end of an answer is not for `work` to send: servers report it as a disconnect.
        """
        result = None
        try:
            async with self._tasks as tasks:
                watcher = tasks.create_task(self._watch())
                result = await work
                watcher.cancel()
        except* ClientGoneError:
            pass
        return result

    async def write(self, reply: Streamed, *, cacheable: bool) -> tuple[Message, ...]:
        """Send the events of `reply` as they come and return what is left: the end of the answer.

        That is all of it if there is one block only: it takes one packet and no chunks. `cacheable`
        answers are those that a cache would keep if we did not forbid it. Always closes the blocks.
        """
        blocks = reply.blocks
        headers = [*raw_headers(reply.headers), *_HEADERS]
        if cacheable:
            headers.append(_NOT_CACHED)
        self._unsent = ({"type": "http.response.start", "status": 200, "headers": headers},)
        try:
            self._keep_alive()
            async for block in blocks:
                if blocks.over:
                    if self._unsent:
                        headers.append((b"content-length", b"%d" % len(block)))
                    return (*self._unsent, {"type": "http.response.body", "body": block})
                if self._unsent:
                    await self._begin()
                await self._send({"type": "http.response.body", "body": block, "more_body": True})
                self._sent = self._loop.time()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await blocks.aclose()
        return (*self._unsent, END)

    async def _begin(self) -> None:
        """Send the start of the answer, if that is still to be sent."""
        unsent, self._unsent = self._unsent, ()
        for start in unsent:
            await self._send(start)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise ClientGoneError

    def _keep_alive(self) -> None:
        """Look again when there may have been silence for long enough."""
        now = self._loop.time()
        if self._timer is None:
            self._sent = now
        elif now >= self._sent + self._keep_alive_seconds:
            self._sent = now
            self._tasks.create_task(self._comment())
        self._timer = self._loop.call_at(self._sent + self._keep_alive_seconds, self._keep_alive)

    async def _comment(self) -> None:
        await self._begin()
        await self._send(_COMMENT)
