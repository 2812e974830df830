"""Requests and answers over one stream in each direction, which many tasks share."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from itertools import count

from msgspec import Raw

from gateway.types.wire import JsonObject
from gateway_mcp.background import Background
from gateway_mcp.budget import Budget
from gateway_mcp.connection import McpError
from gateway_mcp.messages import (
    Message,
    Request,
    decode,
    encode_notification,
    encode_reply,
    encode_request,
    failed,
)

__all__ = ["Duplex"]

_SECONDS_TO_WRITE = 10.0


class Duplex(ABC):
    """Brings each answer to the task that waits for it.

    A transport writes one message with `send`, gives what it reads to `receive`, and says `end`
    when there is no more to come, after which every request fails. `hidden` are secrets that no
    error repeats. The server may send the bytes of `budget` before the next request or answer, so
    that it cannot keep us busy.
    """

    stateless = False
    session = ""

    def __init__(self, budget: Budget, hidden: frozenset[str], background: Background) -> None:
        self.version = ""
        self.budget = budget
        self.background = background
        self._hidden = hidden
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Message | None]] = {}
        self._failure: McpError | None = None

    @property
    def alive(self) -> bool:
        return self._failure is None

    async def request(self, request: Request, /) -> Raw:
        self.check()
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self.budget.renew()
        try:
            await self.send(encode_request(number, request))
            answer = await waiting
        except asyncio.CancelledError:
            if request.method != "initialize":
                data = encode_notification("notifications/cancelled", {"requestId": number})
                self.background.start(self._send_quietly(data))
            raise
        finally:
            del self._waiting[number]
        if answer is None:
            self.check()
        assert answer is not None  # without one there is a failure
        if answer.error is not None:
            raise failed(answer.error, self._hidden)
        return answer.result

    async def notify(self, method: str, params: JsonObject | None = None, /) -> None:
        await self.send(encode_notification(method, params))

    def check(self) -> None:
        """Raise what `end` was told."""
        if self._failure is not None:
            raise self._failure

    async def receive(self, data: bytes) -> None:
        """Take what the server has sent: answers, requests of its own, and what needs no answer.

        Raises `McpProtocolError` if it is not JSON-RPC.
        """
        for message in decode(data):
            if message.method is not None:
                if message.id is not None:
                    await self._send_quietly(encode_reply(message))
            elif isinstance(message.id, int) and message.id in self._waiting:
                waiting = self._waiting[message.id]
                if (message.result or message.error) and not waiting.done():
                    self.budget.renew()
                    waiting.set_result(message)

    def end(self, error: McpError) -> None:
        """Let all requests fail with `error`, those to come, too."""
        self._failure = self._failure or error
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Write one message. Raises an `McpError` if nobody can read it."""

    async def _send_quietly(self, data: bytes) -> None:
        with suppress(TimeoutError, McpError):
            async with asyncio.timeout(_SECONDS_TO_WRITE):
                await self.send(data)
