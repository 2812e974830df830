"""What differs between servers that offer the Responses API, as data: the quirks of a row."""

from __future__ import annotations

from typing import get_args

import msgspec
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.plugin import Deployment, Operation

__all__ = ["EVERY_OPERATION", "Quirks", "read_quirks"]

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


def read_quirks(deployment: Deployment) -> Quirks:
    """Return the quirks of `deployment`. Raises `ConfigError` if one is unknown or ill-typed."""
    try:
        return msgspec.convert(deployment.quirks, Quirks)
    except msgspec.ValidationError as error:
        message = str(error)
        raise ConfigError(
            f"the quirks of {deployment.alias!r} cannot be used: {message[:1].lower()}{message[1:]}"
        ) from error
