"""The endpoints of conversations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.conversations import Conversations
from gateway.core.exchange import Whole
from gateway.http.answers import send_whole
from gateway.http.body import read_body
from gateway.http.endpoints import Methods, ServedEngine

__all__ = ["conversation_endpoints"]


class Converse:
    """The endpoint of one operation on conversations: `answer`, called for the tenant with the
    parts of the request that it wants: ids in the path, the `query` or the `body`.
    """

    def __init__(
        self,
        engine: ServedEngine,
        body_limit: int,
        answer: Callable[..., Awaitable[bytes]],
        *wanted: str,
    ) -> None:
        self._engine = engine
        self._body_limit = body_limit
        self._answer = answer
        self._wanted = wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts = await self._parts(scope, receive)
        answer = await self._answer(
            self._engine.conversations,
            scope["state"]["principal"].tenant,
            *(parts[name] for name in self._wanted),
        )
        await send_whole(Whole(body=answer), send)

    async def _parts(self, scope: Scope, receive: Receive) -> Mapping[str, str | bytes]:
        body = b""
        if "body" in self._wanted:
            body = await read_body(scope["state"]["headers"], receive, self._body_limit)
        query = scope["query_string"].decode("latin-1")
        return {**scope.get("path_params", {}), "query": query, "body": body}


def conversation_endpoints(engine: ServedEngine, body_limit: int) -> dict[str, ASGIApp]:
    """Return what is at each path of conversations."""

    def answered_by(answer: Callable[..., Awaitable[bytes]], *wanted: str) -> ASGIApp:
        return Converse(engine, body_limit, answer, *wanted)

    of, item = "conversation_id", "item_id"
    return {
        "/conversations": Methods(POST=answered_by(Conversations.create, "body")),
        "/conversations/{conversation_id}": Methods(
            GET=answered_by(Conversations.retrieve, of),
            POST=answered_by(Conversations.update, of, "body"),
            DELETE=answered_by(Conversations.delete, of),
        ),
        "/conversations/{conversation_id}/items": Methods(
            GET=answered_by(Conversations.list_items, of, "query"),
            POST=answered_by(Conversations.add_items, of, "body"),
        ),
        "/conversations/{conversation_id}/items/{item_id}": Methods(
            GET=answered_by(Conversations.retrieve_item, of, item),
            DELETE=answered_by(Conversations.remove_item, of, item),
        ),
    }
