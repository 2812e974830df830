"""Streamable HTTP: each request is a POST, its answer JSON or a stream of events that ends with it.

Up to 2025-11-25 a stream that breaks off is taken up again where it ended, and a request is called
off with a notification. Since 2026-07-28 closing the stream is all that it takes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count

from msgspec import Raw

from gateway.types.wire import JsonObject
from gateway_mcp.background import Background
from gateway_mcp.budget import Budget
from gateway_mcp.channel import SessionExpiredError
from gateway_mcp.connection import (
    Limits,
    McpError,
    McpHttpError,
    McpProtocolError,
    McpUnreachableError,
)
from gateway_mcp.eras import MODERN
from gateway_mcp.http import EVENT_STREAM, JSON, Answer, Exchange
from gateway_mcp.messages import (
    INVALID_ANSWER,
    Request,
    decode,
    encode_notification,
    encode_reply,
    encode_request,
    failed,
)
from gateway_mcp.sse import EventDecoder, ServerEvent

__all__ = ["StreamableHttp"]

_GOODBYE_SECONDS = 2.0
_REPLY_SECONDS = 10.0
_LONGEST_WAIT = 60.0
_FRUITLESS = 3
_UNKNOWN_SESSION = (-32000, -32001)
_POST = {"content-type": JSON, "accept": f"{JSON}, {EVENT_STREAM}"}


class _Reading:
    """How far the answer to one request of a session has been read, and where it goes on when."""

    def __init__(self, number: int, session: str, limits: Limits) -> None:
        self.number = number
        self.session = session
        self.budget = Budget(limits.answer_bytes)
        self.last_id = ""
        self.wait = 1.0
        self.fruitless = 0

    def note(self, event: ServerEvent) -> None:
        if event.retry is not None:
            self.wait = min(event.retry, _LONGEST_WAIT)
        if event.id:
            self.last_id = event.id
            self.fruitless = 0


class StreamableHttp:
    """The channel to a server that speaks streamable HTTP."""

    stateless = True

    def __init__(self, exchange: Exchange, background: Background, limits: Limits) -> None:
        self.version = ""
        self.session = ""
        self.alive = True
        self._exchange = exchange
        self._background = background
        self._limits = limits
        self._numbers = count(1)

    async def open(self) -> None:
        """Do nothing: each request opens what it needs."""

    async def request(self, request: Request, /) -> Raw:
        begins = request.method == "initialize"
        reading = _Reading(next(self._numbers), "" if begins else self.session, self._limits)
        headers = {**_POST, **self._headers(reading.session), **request.headers}
        data = encode_request(reading.number, request)
        try:
            async with self._exchange.send("POST", headers, data) as answer:
                result = await self._result(answer, reading)
                if begins:
                    self.session = answer.headers.get("mcp-session-id", "")
            return await self._resumed(reading) if result is None else result
        except asyncio.CancelledError:
            self._call_off(request, reading.number)
            raise

    async def notify(self, method: str, params: JsonObject | None = None, /) -> None:
        await self._post(encode_notification(method, params))

    async def aclose(self) -> None:
        """End the session, if the server has given one and still hears it."""
        self.alive = False
        if self.session and self.version != MODERN:
            with suppress(TimeoutError, McpError):
                async with (
                    asyncio.timeout(_GOODBYE_SECONDS),
                    self._exchange.send("DELETE", self._headers(self.session)),
                ):
                    pass

    def _headers(self, session: str) -> dict[str, str]:
        headers = {"mcp-protocol-version": self.version} if self.version else {}
        if session:
            headers["mcp-session-id"] = session
        return headers

    async def _post(self, data: bytes) -> None:
        """Send what has no answer; what the server thinks of it does not matter."""
        async with self._exchange.send("POST", {**_POST, **self._headers(self.session)}, data):
            pass

    async def _post_quietly(self, data: bytes, seconds: float) -> None:
        with suppress(TimeoutError, McpError):
            async with asyncio.timeout(seconds):
                await self._post(data)

    def _call_off(self, request: Request, number: int) -> None:
        if self.version not in {"", MODERN} and request.method != "initialize":
            data = encode_notification("notifications/cancelled", {"requestId": number})
            self._background.start(self._post_quietly(data, _GOODBYE_SECONDS))

    async def _result(self, answer: Answer, reading: _Reading) -> Raw | None:
        """Return the result, None if the stream ended before it. Raises what the server says."""
        if answer.status >= 400:
            raise await self._refusal(answer, reading)
        if answer.content_type == EVENT_STREAM:
            return await self._streamed(answer, reading)
        if answer.content_type != JSON:
            raise McpProtocolError(
                INVALID_ANSWER,
                f"the server answered a request with HTTP status {answer.status} and neither JSON"
                " nor a stream of events: check that its URL is that of an MCP server",
            )
        result = await self._take(await answer.body(reading.budget), reading)
        if result is None:
            raise McpProtocolError(INVALID_ANSWER, "the server answered another request than ours")
        return result

    async def _refusal(self, answer: Answer, reading: _Reading) -> McpError:
        """Return the error in the body, or the status where there is none.

        What a status says of credentials is not for the body to change. Not all servers say 404
        of a session that they do not know.
        """
        error = McpHttpError(answer.status, f"the server answered with HTTP status {answer.status}")
        if answer.content_type == JSON and answer.status not in {401, 403}:
            try:
                await self._take(await answer.body(reading.budget), reading)
            except McpProtocolError as told:
                error = error if told.code == INVALID_ANSWER else told
        unknown = isinstance(error, McpProtocolError) and error.code in _UNKNOWN_SESSION
        if reading.session and (answer.status == 404 or (answer.status == 400 and unknown)):
            return SessionExpiredError(reading.session)
        return error

    async def _streamed(self, answer: Answer, reading: _Reading) -> Raw | None:
        decoder = EventDecoder(self._limits.answer_bytes)
        try:
            while data := await answer.chunk():
                reading.budget.spend(len(data))
                for event in decoder.feed(data):
                    reading.note(event)
                    result = await self._take(event.data, reading) if event.data else None
                    if result is not None:
                        await answer.skip_rest(reading.budget)
                        return result
                reading.budget.spend_lines(data)  # not before: what follows an answer is no matter
        except McpUnreachableError:
            if not reading.last_id:
                raise
        return None

    async def _resumed(self, reading: _Reading) -> Raw:
        """Read on where the stream ended, as often as the server lets us get any further.

        If the session has ended with it, the request is not made again: it may have been fulfilled.
        """
        headers = {"accept": EVENT_STREAM, **self._headers(reading.session)}
        reading.session = ""
        result = None
        while result is None:
            if not reading.last_id or self.version == MODERN or reading.fruitless >= _FRUITLESS:
                raise McpUnreachableError("the server ended the stream before it had answered")
            reading.fruitless += 1
            await asyncio.sleep(reading.wait)
            headers["last-event-id"] = reading.last_id
            async with self._exchange.send("GET", headers) as answer:
                result = await self._result(answer, reading)
        return result

    async def _take(self, data: bytes, reading: _Reading) -> Raw | None:
        """Return the result if it is there, and answer what the server asks."""
        for message in decode(data):
            if message.method is not None:
                if message.id is not None:
                    await self._post_quietly(encode_reply(message), _REPLY_SECONDS)
            elif message.error is not None and message.id in {reading.number, None}:
                raise failed(message.error, self._exchange.hidden)
            elif message.id == reading.number and message.result:
                return message.result
        return None
