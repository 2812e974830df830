"""HTTP with server-sent events, the transport of 2024-11-05: one stream brings all answers.

The stream begins by naming the address that requests are posted to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from yarl import URL

from gateway_mcp.background import Background
from gateway_mcp.budget import Budget
from gateway_mcp.connection import (
    Limits,
    McpError,
    McpHttpError,
    McpProtocolError,
    McpUnreachableError,
)
from gateway_mcp.duplex import Duplex
from gateway_mcp.http import EVENT_STREAM, JSON, Answer, Exchange
from gateway_mcp.messages import INVALID_ANSWER
from gateway_mcp.sse import EventDecoder, ServerEvent

__all__ = ["EventStreamHttp"]


class EventStreamHttp(Duplex):
    """The channel to a server that answers through one long stream of events."""

    def __init__(self, exchange: Exchange, background: Background, limits: Limits) -> None:
        super().__init__(Budget(limits.answer_bytes), exchange.hidden, background)
        self._exchange = exchange
        self._seconds_to_begin = limits.connect_seconds
        self._target: URL | None = None
        self._begun = asyncio.Event()
        self._stop: Callable[[], object] | None = None

    async def open(self) -> None:
        """Open the stream, and wait until the server has said where to post."""
        self._stop = self.background.start(self._listen())
        try:
            async with asyncio.timeout(self._seconds_to_begin):
                await self._begun.wait()
        except TimeoutError:
            self.end(McpUnreachableError("the server did not say in time where to post requests"))
        self.check()

    async def aclose(self) -> None:
        if self._stop is not None:
            self._stop()
        self.end(McpUnreachableError("the connection is closed"))

    async def send(self, data: bytes) -> None:
        headers = {"content-type": JSON, "accept": f"{JSON}, {EVENT_STREAM}", **self._headers()}
        async with self._exchange.send("POST", headers, data, to=self._target) as answer:
            _check_status(answer)

    async def _listen(self) -> None:
        failure: McpError = McpUnreachableError("the server has ended the stream of its answers")
        try:
            async with self._exchange.send("GET", {"accept": EVENT_STREAM}) as answer:
                _check_status(answer)
                if answer.content_type != EVENT_STREAM:
                    raise McpProtocolError(INVALID_ANSWER, "the server sent no stream of events")
                await self._read(answer)
        except McpError as error:
            failure = error
        finally:
            self.end(failure)
            self._begun.set()

    async def _read(self, answer: Answer) -> None:
        decoder = EventDecoder(self.budget.limit)
        while data := await answer.chunk():
            for event in decoder.feed(data):
                await self._take(event)
            self.budget.spend(len(data))  # an answer that ends here has renewed it
            self.budget.spend_lines(data)

    async def _take(self, event: ServerEvent) -> None:
        if event.name == "endpoint":
            self._target = self._exchange.within_origin(event.data.decode(errors="replace"))
            self._begun.set()
        elif event.name == "message" and event.data:
            await self.receive(event.data)

    def _headers(self) -> dict[str, str]:
        return {"mcp-protocol-version": self.version} if self.version else {}


def _check_status(answer: Answer) -> None:
    if answer.status >= 400:
        raise McpHttpError(answer.status, f"the server answered with HTTP status {answer.status}")
