"""The hooks. Each is called once, at start-up, and none while a response is being made.

A hook returns what the plugin offers; the gateway decides what becomes of it. See `docs/hooks.md`.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from gateway.config import Config
from gateway.plugin.observe import Observer
from gateway.plugin.provider import Provider
from gateway.plugin.store import StoreKind
from gateway.plugin.tools import ToolRunner

hookspec = pluggy.HookspecMarker("gateway")


@hookspec
def gateway_providers() -> Iterable[Provider]:
    """Return the vendors and servers that this plugin can call."""
    return ()


@hookspec
def gateway_stores() -> Iterable[StoreKind]:
    """Return the kinds of store that this plugin can open."""
    return ()


@hookspec
def gateway_observers(config: Config) -> Iterable[Observer]:
    """Return who is to be told of each finished request."""
    return ()


@hookspec
def gateway_tool_runners(config: Config) -> Iterable[ToolRunner]:
    """Return what runs tools inside the gateway."""
    return ()
