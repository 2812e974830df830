"""Refusing WebSockets: there is no WebSocket mode yet, and 426 sends clients to HTTP at once."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import InvalidRequestError
from gateway.http.answers import whole_messages
from gateway.http.problems import problem

__all__ = ["RefuseWebSockets"]


class RefuseWebSockets:
    """Answers every attempt to open a WebSocket; everything else passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket":
            return _reject(scope, receive, send)
        if scope["type"] == "http" and _is_upgrade(scope):
            # A server without WebSockets of its own hands the upgrade on as a plain request.
            raise _refusal()
        return self._app(scope, receive, send)


async def _reject(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect: no answer before it
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    for message in whole_messages(problem(_refusal())):
        await send({**message, "type": f"websocket.{message['type']}"})


def _is_upgrade(scope: Scope) -> bool:
    if scope["method"] != "GET":
        return False
    headers = scope["state"]["headers"]
    return headers.get("upgrade", "").lower() == "websocket"


def _refusal() -> InvalidRequestError:
    error = InvalidRequestError(
        "this gateway does not offer WebSockets yet, use HTTP with `stream: true`",
        code="websocket_not_supported",
    )
    error.status = 426
    return error
