"""The engine's life under an ASGI server: opened before the first request, closed at the end."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import GatewayError

__all__ = ["Lifespan"]


class Lifespan:
    """Keeps `resources` open while the server runs, and says so with `ready` on the state of every
    scope.

    A `GatewayError` while opening stops the start with its message; anything else with its
    traceback too.
    """

    def __init__(self, app: ASGIApp, resources: AbstractAsyncContextManager[Any]) -> None:
        self._app = app
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()  # lifespan.startup
        phase = "startup"
        try:
            async with self._resources:
                scope.setdefault("state", {})["ready"] = True
                await send({"type": "lifespan.startup.complete"})
                phase = "shutdown"
                await receive()  # lifespan.shutdown
        except GatewayError as error:
            await send({"type": f"lifespan.{phase}.failed", "message": error.message})
        except Exception as error:
            await send({"type": f"lifespan.{phase}.failed", "message": repr(error)})
            raise
        else:
            await send({"type": "lifespan.shutdown.complete"})
