"""The line to a client while its answer is made: what goes out, and a client that may leave.

An ASGI application learns that its client has left only from `receive()`. So whatever works for a
client runs beside a watcher of `receive()`, and whichever ends first cancels the other; else a
stream would run to its end, and burn upstream tokens, with nobody there to read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.types import Message, Receive, Send

from gateway.core.exchange import Streamed
from gateway.http.answers import raw_headers
from gateway.http.body import ClientGoneError

__all__ = ["Line"]

_COMMENT: Message = {"type": "http.response.body", "body": b": keep-alive\n\n", "more_body": True}
_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would collect the events otherwise
}

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
        self._now = asyncio.get_running_loop().time
        self._sent: float | None = None

    async def hold(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Return what `work` returns, or None after cancelling it because the client has left.

        The end of an answer is not for `work` to send: servers report it as a disconnect.
        """
        result = None
        try:
            async with asyncio.TaskGroup() as tasks:
                watcher = tasks.create_task(self._watch())
                result = await work
                watcher.cancel()
        except* ClientGoneError:
            pass
        return result

    async def write(self, reply: Streamed) -> None:
        """Send the events of `reply` as they come, all but the end; always close its blocks."""
        async with aclosing(reply.blocks) as blocks:
            headers = raw_headers({**reply.headers, **_HEADERS})
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            self._sent = self._now()
            async for block in blocks:
                await self._send({"type": "http.response.body", "body": block, "more_body": True})
                self._sent = self._now()

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout_at(self._next_comment()):
                    message = await self._receive()
            except TimeoutError:
                await self._comment()
                continue
            if message["type"] == "http.disconnect":
                raise ClientGoneError

    def _next_comment(self) -> float:
        return (self._now() if self._sent is None else self._sent) + self._keep_alive_seconds

    async def _comment(self) -> None:
        if self._sent is not None and self._next_comment() <= self._now():
            self._sent = self._now()
            await self._send(_COMMENT)
