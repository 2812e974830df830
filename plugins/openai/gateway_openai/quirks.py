"""What differs between servers that offer the Responses API, as data: the quirks of a row."""

from __future__ import annotations

from typing import get_args

from msgspec import Struct

from gateway.plugin import Deployment, Operation
from gateway.plugin.quirks import read_quirks

__all__ = ["EVERY_OPERATION", "Quirks", "quirks_of"]

EVERY_OPERATION: tuple[Operation, ...] = get_args(Operation)


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one server differs; the defaults are OpenAI's own.

    An operator may set any of them in the configuration of a deployment.
    """

    operations: tuple[Operation, ...] = EVERY_OPERATION
    """What the server offers; anything else is refused before it is called."""
    root: str = ""
    """The path that a base URL must end in; it is added to one that does not."""
    api_version: str = ""
    """The `api-version` of every URL, where the server wants one."""
    organization: str = ""
    project: str = ""
    """What the requests are billed to, at OpenAI."""


def quirks_of(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`. Raises `ConfigError` if one is unknown or ill-typed."""
    return read_quirks(deployment, Quirks)
