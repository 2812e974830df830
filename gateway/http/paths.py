"""From the path of a request to its endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Paths"]


class Paths:
    """Calls the endpoint of a path, or `default`.

    Most requests go to a path without parameters, which a look into a dictionary finds; the others
    are matched by Starlette, which puts `path_params` on the scope.
    """

    def __init__(self, endpoints: Mapping[str, ASGIApp], default: ASGIApp) -> None:
        routes = [Route(path, endpoint) for path, endpoint in endpoints.items()]
        self._router = Router(routes, redirect_slashes=False, default=default)
        self._literal = {path: app for path, app in endpoints.items() if "{" not in path}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        endpoint = self._literal.get(scope["path"], self._router)
        return endpoint(scope, receive, send)
