"""The ASGI application: the routes, the middleware around them, and the engine's life."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path

from starlette.types import ASGIApp

from gateway.config import Config, environment, load
from gateway.core.engine import Engine
from gateway.http.auth import Authentication, Keyring
from gateway.http.catalog import ListModels, Live, Ready, ShowModel
from gateway.http.conversations import conversation_endpoints
from gateway.http.endpoints import Methods, NotFound, Respond, ServedEngine
from gateway.http.lifespan import Lifespan
from gateway.http.paths import Paths
from gateway.http.reception import Reception
from gateway.http.websocket import RefuseWebSockets
from gateway.ids import Ids
from gateway.observe import logging as request_log
from gateway.plugin.manager import Plugins

__all__ = ["app_from_config", "create_app"]

_PREFIXES = ("/v1", "")
_PUBLIC = frozenset(
    f"{prefix}/health/{check}" for prefix in _PREFIXES for check in ("live", "ready")
)


def create_app(engine: ServedEngine, config: Config, *, ids: Ids | None = None) -> ASGIApp:
    """Return the application that serves `engine`, which it opens and closes with its lifespan."""
    paths = Paths(_paths(engine, config), default=NotFound())
    keyring = Keyring(config.api_keys)
    stack: list[Callable[[ASGIApp], ASGIApp]] = [
        partial(Lifespan, resources=engine),
        partial(Reception, mint=(ids or Ids()).mint),
        RefuseWebSockets,
        partial(Authentication, keyring=keyring, public=_PUBLIC),
    ]
    return reduce(lambda app, middleware: middleware(app), reversed(stack), paths)


def app_from_config(path: str | Path) -> ASGIApp:
    """Return the application of the configuration file at `path`, for any ASGI server.

    Raises `ConfigError` and `PluginError`.
    """
    config = load(Path(path), environment())
    plugins = Plugins(extra=(request_log,), blocked=config.plugins.block)
    return create_app(Engine(config, plugins), config)


def _paths(engine: ServedEngine, config: Config) -> dict[str, ASGIApp]:
    respond = partial(
        Respond,
        engine,
        body_limit=config.server.body_limit,
        keep_alive_seconds=config.server.keep_alive_seconds,
    )
    paths: dict[str, ASGIApp] = {
        "/responses": Methods(POST=respond("create")),
        "/responses/compact": Methods(POST=respond("compact")),
        "/responses/input_tokens": Methods(POST=respond("input_tokens")),
        "/responses/{response_id}": Methods(GET=respond("retrieve"), DELETE=respond("delete")),
        "/responses/{response_id}/cancel": Methods(POST=respond("cancel")),
        "/responses/{response_id}/input_items": Methods(GET=respond("input_items")),
        **conversation_endpoints(engine, config.server.body_limit),
        "/models": Methods(GET=ListModels(engine.models)),
        "/models/{model:path}": Methods(GET=ShowModel(engine.models)),
        "/health/live": Methods(GET=Live()),
        "/health/ready": Methods(GET=Ready(engine.store_state)),
    }
    return {prefix + path: paths[path] for prefix in _PREFIXES for path in paths}
