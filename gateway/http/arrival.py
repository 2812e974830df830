"""The outermost middleware: gives each request its id, and reads its headers once for all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Arrival"]

_ID, _OUR_ID = b"x-request-id", b"x-gateway-request-id"
_SANE = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII).fullmatch


class Arrival:
    """Puts `request_id` and `headers` (names in lower case) on the scope's state, and the id on the
    answer.

    A sane `x-request-id` of the client is kept, so that a proxy's logs and ours agree. On the
    answer it is `x-request-id`, or `x-gateway-request-id` where the upstream sent one of its own.
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
        scope["state"] = {
            **scope.get("state", {}),
            "headers": headers,
            "request_id": request_id,
        }
        await self._app(scope, receive, _Labelled(send, request_id))


class _Labelled:
    """A `send` that writes the request's id on the start of the answer."""

    __slots__ = ("_request_id", "_send")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode("ascii")

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = message["headers"]
            taken = any(name == b"x-request-id" for name, _ in headers)
            headers.append((_OUR_ID if taken else _ID, self._request_id))
        return self._send(message)
