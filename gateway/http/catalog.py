"""The endpoints that say what is here: the models, and the gateway's own health."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.types import Receive, Scope, Send

from gateway.core.keeper import StoreState
from gateway.errors import NotFoundError
from gateway.http.answers import json_answer, send_whole
from gateway.types.models import CatalogModel, Model, ModelList

__all__ = ["ListModels", "Live", "Ready", "ShowModel"]


class ListModels:
    """GET /models: OpenAI's list and Codex's catalog in one body."""

    def __init__(self, models: Callable[[], Iterable[str]]) -> None:
        self._models = models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = tuple(self._models())
        listing = ModelList(
            data=tuple(Model(id=name) for name in names),
            models=tuple(CatalogModel(slug=name, display_name=name) for name in names),
        )
        await send_whole(json_answer(listing), send)


class ShowModel:
    """GET /models/{model}: one of the list, or one that a wildcard of the list stands for."""

    def __init__(self, models: Callable[[], Iterable[str]]) -> None:
        self._models = models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted: str = scope["path_params"]["model"]
        if not any(_stands_for(name, wanted) for name in self._models()):
            raise NotFoundError(
                f"the model {wanted!r} does not exist or is not configured here",
                code="model_not_found",
                param="model",
            )
        await send_whole(json_answer(Model(id=wanted)), send)


class Live:
    """GET /health/live: this process answers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_whole(json_answer({"status": "ok"}), send)


class Ready:
    """GET /health/ready: the engine is open, so requests can be served; no upstream is asked.

    A store that does not answer is told, but changes no status: this node serves what needs no
    store, and another node would do no better.
    """

    def __init__(self, store_state: Callable[[], Awaitable[StoreState]]) -> None:
        self._store_state = store_state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["state"].get("ready", False):
            await send_whole(json_answer({"status": "starting"}, status=503), send)
            return
        answer = {"status": "ok", "store": await self._store_state()}
        await send_whole(json_answer(answer), send)


def _stands_for(name: str, wanted: str) -> bool:
    if not name.endswith("*"):
        return name == wanted
    prefix = name.removesuffix("*")
    return wanted.startswith(prefix) and len(wanted) > len(prefix)
