"""The endpoints of the Responses API: a request becomes an envelope, the reply an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.core.conversations import Conversations
from gateway.core.exchange import Envelope, Reply, Whole
from gateway.core.keeper import StoreState
from gateway.core.principal import Principal
from gateway.errors import GatewayError, InvalidRequestError, NotFoundError
from gateway.http.answers import whole_messages
from gateway.http.body import read_body
from gateway.http.event_stream import Line
from gateway.http.problems import problem
from gateway.plugin.dialect import Operation

__all__ = ["Methods", "NotFound", "Respond", "ServedEngine"]

_WITH_BODY: frozenset[Operation] = frozenset({"create", "compact", "input_tokens"})


class ServedEngine(Protocol):
    """What the proxy needs of the engine; opened before the first request."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *exception: Any) -> None: ...
    async def respond(self, envelope: Envelope, principal: Principal) -> Reply: ...
    async def store_state(self) -> StoreState: ...
    def models(self) -> Iterable[str]: ...
    @property
    def conversations(self) -> Conversations: ...


class Respond:
    """The endpoint of one operation of the engine."""

    def __init__(
        self,
        engine: ServedEngine,
        operation: Operation,
        *,
        body_limit: int,
        keep_alive_seconds: float,
    ) -> None:
        self._engine = engine
        self._operation: Operation = operation
        self._body_limit = body_limit
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        envelope = await self._envelope(scope, receive)
        line = Line(receive, send, self._keep_alive_seconds)
        rest = await line.hold(self._reply(envelope, scope["state"]["principal"], line))
        for message in rest or ():
            await send(message)

    async def _envelope(self, scope: Scope, receive: Receive) -> Envelope:
        headers: Mapping[str, str] = scope["state"]["headers"]
        body = b""
        if self._operation in _WITH_BODY:
            body = await read_body(headers, receive, self._body_limit)
        return Envelope(
            operation=self._operation,
            request_id=scope["state"]["request_id"],
            body=body,
            response_id=scope.get("path_params", {}).get("response_id", ""),
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
        )

    async def _reply(
        self, envelope: Envelope, principal: Principal, line: Line
    ) -> tuple[Message, ...]:
        """Return what is left to send when the engine has done its work."""
        try:
            reply = await self._engine.respond(envelope, principal)
        except GatewayError as error:
            return whole_messages(problem(error))
        if isinstance(reply, Whole):
            return whole_messages(reply)
        return await line.write(reply, cacheable=self._operation == "retrieve")


class Methods:
    """One path: which endpoint answers which method."""

    def __init__(self, **endpoints: ASGIApp) -> None:
        self._endpoints = endpoints
        self._allowed = ", ".join(endpoints)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = self._endpoints.get(method)
        if endpoint is None:
            error = InvalidRequestError(
                f"{scope['path']} does not take {scope['method']}, use {self._allowed}",
                code="method_not_allowed",
            )
            error.status = 405
            error.headers = {"allow": self._allowed}
            raise error
        return endpoint(scope, receive, send)


class NotFound:
    """The endpoint of every path that we do not serve."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        raise NotFoundError(
            f"there is nothing at {scope['path']}; the API is served at /v1/responses"
        )
