"""The outermost middleware: receives each request, and answers the errors raised further in."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.core.exchange import Whole
from gateway.errors import GatewayError
from gateway.http.answers import END, whole_messages
from gateway.http.body import ClientGoneError
from gateway.http.problems import problem

__all__ = ["Reception"]

_ID, _OUR_ID = b"x-request-id", b"x-gateway-request-id"
_INTERNAL = GatewayError("the gateway made an error of its own; its log has the details")
_LINGER_SECONDS = 10.0
_SANE = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII).fullmatch


class Reception:
    """Puts `request_id` and `headers` (names in lower case) on the scope's state, the id on the
    answer, and makes answers of errors.

    A sane `x-request-id` of the client is kept, so that a proxy's logs and ours agree. On the
    answer it is `x-request-id`, or `x-gateway-request-id` where the upstream sent one of its own.
    A bug gets a bare 500, and the server logs it; after the answer has begun it ends the
    connection, so that the client notices.
    """

    def __init__(self, app: ASGIApp, mint: Callable[[str], str]) -> None:
        self._app = app
        self._mint = mint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        request_id = headers.get("x-request-id", "")
        if not _SANE(request_id):
            request_id = self._mint("req")
        scope["state"] = {**scope.get("state", {}), "headers": headers, "request_id": request_id}
        exchange = _Exchange(receive, send, request_id)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientGoneError:
            return
        except GatewayError as error:
            if exchange.answered:
                raise
            await exchange.refuse(problem(error))
        except Exception as error:
            error.add_note(f"while answering request {request_id}")
            if not exchange.answered:
                await exchange.refuse(problem(_INTERNAL))
            raise


class _Exchange:
    """Both ways of one request: knows whether all of it has come, and whether the answer has begun,
    on which it writes the request's id.
    """

    __slots__ = ("_complete", "_receive", "_request_id", "_send", "answered")

    def __init__(self, receive: Receive, send: Send, request_id: str) -> None:
        self._receive = receive
        self._send = send
        self._request_id = request_id.encode("ascii")
        self._complete = False
        self.answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self._complete = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        if not self.answered:
            self.answered = True
            headers = message["headers"]
            taken = any(name == _ID for name, _ in headers)
            headers.append((_OUR_ID if taken else _ID, self._request_id))
        return self._send(message)

    async def refuse(self, answer: Whole) -> None:
        """Send `answer`, then let the client finish its upload before the connection may close.

        A close with bytes unread resets the connection, often before the client has read the
        answer. With HTTP/2, hypercorn 0.18 even drops the connection's other streams when data
        comes for a closed one.
        """
        start, body = whole_messages(answer)
        await self.send(start)
        await self.send({**body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self._complete:
                    await self.receive()
        await self.send(END)
