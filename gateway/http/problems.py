"""Errors as HTTP answers, in OpenAI's shape; and the middleware that sends them."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.core.exchange import Whole
from gateway.errors import GatewayError, StoreError, UpstreamError
from gateway.http.answers import END, json_answer, whole_messages
from gateway.http.body import ClientGoneError

__all__ = ["Problems", "problem"]

_LINGER_SECONDS = 10.0
_INTERNAL = GatewayError("the gateway made an error of its own; its log has the details")


def problem(error: GatewayError) -> Whole:
    """Return the answer that says `error`; a native upstream's own body passes unchanged."""
    headers = {**error.headers, **_retry_headers(error)}
    if isinstance(error, UpstreamError) and error.body is not None:
        return Whole(body=error.body, headers=headers, status=error.status)
    report = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    answer = json_answer({"error": report}, status=error.status)
    return Whole(body=answer.body, headers=headers, status=answer.status)


def _retry_headers(error: GatewayError) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    wait = error.retry_after if isinstance(error, UpstreamError) else None
    if wait is not None and not {"retry-after", "retry-after-ms"} & error.headers.keys():
        headers["retry-after"] = str(math.ceil(wait))
        headers["retry-after-ms"] = str(math.ceil(wait * 1000))
    if "x-should-retry" not in error.headers and _is_hopeless(error):
        headers["x-should-retry"] = "false"
    return headers


def _is_hopeless(error: GatewayError) -> bool:
    """Say whether clients would try again, by the status, although it cannot help."""
    if error.code == "insufficient_quota":
        return True
    if error.status < 500 or isinstance(error, StoreError):
        return False
    return not (isinstance(error, UpstreamError) and error.retryable)


class Problems:
    """Answers the errors raised inside; a bug gets a bare 500, and the server logs it.

    A bug after the answer has begun ends the connection, so that the client notices.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload, answer = _Upload(receive), _Answer(send)
        try:
            await self._app(scope, upload, answer)
        except ClientGoneError:
            return
        except GatewayError as error:
            if answer.begun:
                raise
            await _refuse(problem(error), upload, send)
        except Exception as error:
            error.add_note(f"while answering request {scope['state']['request_id']}")
            if not answer.begun:
                await _refuse(problem(_INTERNAL), upload, send)
            raise


class _Upload:
    """A `receive` that knows whether all of the request has come."""

    __slots__ = ("_receive", "complete")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.complete = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.complete = True
        return message


class _Answer:
    """A `send` that knows whether the answer has begun."""

    __slots__ = ("_send", "begun")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    def __call__(self, message: Message) -> Awaitable[None]:
        self.begun = True
        return self._send(message)


async def _refuse(answer: Whole, upload: _Upload, send: Send) -> None:
    """Send `answer`, then let the client finish its upload before the connection may close.

    A close with bytes unread resets the connection, often before the client has read the answer.
    With HTTP/2, hypercorn 0.18 even drops the connection's other streams when data comes for a
    closed one.
    """
    start, body = whole_messages(answer)
    await send(start)
    await send({**body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while not upload.complete:
                await upload()
    await send(END)
